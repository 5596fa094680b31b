// SPDX-License-Identifier: MIT
// What several of the paper's nets put between and around their layers.
#pragma once

#include <torch/torch.h>

namespace talkface::nets {

inline torch::nn::LeakyReLU Leaky(double slope) {
  return torch::nn::LeakyReLU(torch::nn::LeakyReLUOptions().negative_slope(slope));
}

// Of the audio and the landmark encoder.
inline torch::nn::LeakyReLU EncoderActivation() { return Leaky(0.02); }

// The score of what must not be attended to; finite, since a window without any valid frame must
// not give NaN.
constexpr double kNever = -1e9;

}  // namespace talkface::nets
