// SPDX-License-Identifier: MIT
// A pack's weights for PyTorch.
#pragma once

#include <cstddef>
#include <string>

namespace talkface::checkpoint {

// Writes the tensors of all files of a pack, whatever its family, as one state dict that
// torch.load(weights_only=True) reads; returns how many. Throws Error as Pack::Open and
// WriteCheckpoint do, and Error{kInvalid} where two files of the pack use the same name.
size_t ExportPack(const std::string& model, const std::string& file);

}  // namespace talkface::checkpoint
