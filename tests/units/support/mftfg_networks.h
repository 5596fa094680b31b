// SPDX-License-Identifier: MIT
// Tiny networks of the paper's model for tests without data.
#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <functional>
#include <string>

#include "models/families/mftfg/config.h"

namespace talkface::mftfg {

// Latents of 6 cells, so that the U-Net has a border of 1; every width as small as it may be.
inline Config TinyConfig(Wiring wiring) {
  Config config;
  config.wiring = wiring;
  config.window_frames = 5;
  config.image_size = 12;
  config.au_hidden = 4;
  config.mask_channels = 4;
  config.mask_blocks = 1;
  config.tacn_channels = {8, 16};
  config.first_stage_channels = 32;
  config.first_stage_decoder_channels = 64;
  config.first_stage_mult = {1, 2};
  config.first_stage_blocks = 1;
  config.codes = 16;
  config.unet_channels = 32;
  config.unet_mult = {1, 2, 2};
  config.unet_blocks = 1;
  config.unet_head_channels = 16;
  return config;
}

// Largest difference, relative to the wanted numbers' largest.
inline double Distance(const torch::Tensor& got, const torch::Tensor& wanted) {
  const torch::Tensor exact = wanted.to(torch::kFloat64);
  return ((got.to(torch::kFloat64) - exact).abs().max() / exact.abs().max()).item<double>();
}

// Backward against central differences along a random direction, for each of the module's
// parameters that `loss` (a scalar, in double precision) depends on. `unused` tells by name those
// that have no influence by design: their gradient must be zero or absent.
inline void ExpectGradients(torch::nn::Module& module, const std::function<torch::Tensor()>& loss,
                            const std::function<bool(const std::string&)>& unused) {
  constexpr double kStep = 1e-5, kTolerance = 1e-4;
  module.zero_grad();
  loss().backward();
  for (auto& entry : module.named_parameters()) {
    torch::Tensor parameter = entry.value();
    const torch::Tensor gradient = parameter.grad();
    if (unused(entry.key())) {
      EXPECT_TRUE(!gradient.defined() || gradient.abs().max().item<double>() < 1e-12)
          << entry.key();
      continue;
    }
    ASSERT_TRUE(gradient.defined()) << entry.key();
    const torch::NoGradGuard no_gradients;
    const torch::Tensor direction = torch::randn_like(parameter);
    const auto at = [&](double step) {
      parameter.add_(direction, step);
      const double value = loss().item<double>();
      parameter.add_(direction, -step);
      return value;
    };
    const double measured = (at(kStep) - at(-kStep)) / (2 * kStep);
    const double computed = (gradient * direction).sum().item<double>();
    EXPECT_NEAR(computed, measured, kTolerance * (1 + std::abs(measured))) << entry.key();
  }
}

}  // namespace talkface::mftfg
