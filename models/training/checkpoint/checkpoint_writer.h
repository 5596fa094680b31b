// SPDX-License-Identifier: MIT
// Files that torch.load reads, weights_only=True included.
#pragma once

#include <map>
#include <string>

#include "models/core/safetensors.h"

namespace talkface::checkpoint {

// Writes a dict of tensors, each with data of its own, whole or not at all; inside another dict
// under `key`, unless that is empty. Throws Error{kFailed} naming the path.
void WriteCheckpoint(const std::string& path, const std::map<std::string, TensorSource>& tensors,
                     const std::string& key = "");

}  // namespace talkface::checkpoint
