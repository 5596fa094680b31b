// SPDX-License-Identifier: MIT
// Between safetensors files and libtorch modules. A module's parameters and buffers have the names
// of the official checkpoints, so a file maps onto them one to one.
#pragma once

#include <torch/torch.h>

#include <string>

#include "models/core/pack.h"

namespace talkface::nets {

// A copy of a file's tensor, of its own type and shape.
torch::Tensor ToTensor(const TensorView& view);

// Fills every parameter and buffer of `module` from the file's tensor of the same name behind
// `prefix` ("model.tacn."), converted to the module's type. Throws Error{kBadPack} naming file,
// tensor, wanted and got where one is missing or of another shape: nothing keeps a random weight.
void LoadParameters(torch::nn::Module& module, const SafeTensors& file, const std::string& prefix);

// The same out of a whole pack: a tensor is in whichever of its files has the name.
void LoadParameters(torch::nn::Module& module, const Pack& pack);

}  // namespace talkface::nets
