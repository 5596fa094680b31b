// SPDX-License-Identifier: MIT
// The forward process of the diffusion (Ho et al. 2020, section 2), with the paper's schedule.
//   beta_t noise added at time t, abar_t = prod (1 - beta_s): q(x_t | x_0) = N(sqrt(abar_t) x_0,
//   1 - abar_t)
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace talkface::mftfg {

constexpr int64_t kDiffusionTimes = 1000;

// The schedule's numbers: computed in double precision, held as float32 on the CPU. Immutable.
struct Schedule {
  Schedule();
  torch::Tensor betas;                          // [1000]
  torch::Tensor alphas_cumprod;                 // abar_t
  torch::Tensor alphas_cumprod_prev;            // abar_(t-1), 1 before the first
  torch::Tensor sqrt_alphas_cumprod;            // sqrt(abar_t)
  torch::Tensor sqrt_one_minus_alphas_cumprod;  // sqrt(1 - abar_t)

  float AlphaBar(int64_t t) const { return alphas_cumprod.data_ptr<float>()[t]; }

  // x_t of x_0 and noise, both [B, Z, L, L]; t [B] or [1], int64, 0..999.
  torch::Tensor QSample(const torch::Tensor& x0, const torch::Tensor& t,
                        const torch::Tensor& noise) const;
  torch::Tensor QSample(const torch::Tensor& x0, int64_t t, const torch::Tensor& noise) const;
};

}  // namespace talkface::mftfg
