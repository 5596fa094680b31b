// SPDX-License-Identifier: MIT
// From noise to latents: the paper's sampler, DDIM (Song et al. 2021, equation 12, eta = 0), and a
// fast one, DPM-Solver++(2M) (Lu et al. 2022, algorithm 2). Both solve the same equation dx/dt with
// the same denoiser, from the same time to the same time, so that few steps of the second stand for
// many of the first.
//   e the denoiser's output, a = abar of a time, x0' = (x - sqrt(1 - a) e) / sqrt(a)
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "models/families/mftfg/model/diffusion.h"

namespace talkface::mftfg {

// e(x, t) for x [B, Z, L, L] and one diffusion time for all frames.
using Denoiser = std::function<torch::Tensor(const torch::Tensor& x, int64_t t)>;

// What is kept of given latents: before every step x becomes mask * q(x0, t) + (1 - mask) * x.
struct Inpainting {
  torch::Tensor latents;  // x0 [B or 1, Z, L, L]
  torch::Tensor mask;     // [B or 1, 1, L, L], 1 = keep, of the latents' type
  // Noise of q(x0, t) in the step, [B, Z, L, L]; steps count from 0 in sampling order.
  std::function<torch::Tensor(int64_t step)> noise;
};

// Told after each step: its number from 0, x, and x0'. May throw to stop.
using StepDone =
    std::function<void(int64_t step, const torch::Tensor& x, const torch::Tensor& predicted)>;

// The coefficients of S DDIM steps, in the order of rising time.
struct DdimSchedule {
  // Throws Error{kInvalid} unless S divides 1000 and is at most 500: other S would index beyond the
  // schedule, or make another number of steps.
  DdimSchedule(const Schedule& schedule, int64_t steps, double eta = 0);
  std::vector<int64_t> times;         // 1, 1 + 1000 / S, ...
  std::vector<float> alphas;          // abar of the time
  std::vector<double> alphas_prev;    // of the next time in sampling order; abar_0 at the end
  std::vector<double> sigmas;         // 0 at eta 0
  std::vector<float> sqrt_one_minus;  // sqrt(1 - abar)
};

struct SamplerInput {
  torch::Tensor start;  // x_T [B, Z, L, L]
  Denoiser denoise;
  const Inpainting* inpainting = nullptr;  // none: all is generated
  StepDone done;                           // may be empty
};

// The paper's sampler: deterministic given `start` and the inpainting's noise.
torch::Tensor SampleDdim(const Schedule& schedule, int64_t steps, const SamplerInput& input);

constexpr int64_t kMostFastSteps = 50;
// The same in 1 to kMostFastSteps steps; throws Error{kInvalid} for another number.
torch::Tensor SampleFast(const Schedule& schedule, int64_t steps, const SamplerInput& input);

// The times at which SampleFast calls the denoiser, falling; the end of the last step, 0, comes
// last.
std::vector<int64_t> FastTimes(int64_t steps);

}  // namespace talkface::mftfg
