// SPDX-License-Identifier: MIT
// Between the references' tensors and the plain pictures and points of models/families/mftfg/.
#pragma once

#include <torch/torch.h>

#include "models/families/mftfg/face/face_inputs.h"

namespace talkface::parity {

torch::Tensor Values(const imaging::ByteImage& image);     // [H, W, C], uint8
torch::Tensor Values(const imaging::RealImage& image);     // [H, W, C], float64
imaging::ByteImage ImageOf(const torch::Tensor& values);   // [H, W, C], uint8
imaging::Landmarks PointsOf(const torch::Tensor& points);  // [N, 2]

}  // namespace talkface::parity
