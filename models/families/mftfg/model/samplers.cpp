// SPDX-License-Identifier: MIT
#include "models/families/mftfg/model/samplers.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "models/core/error.h"

namespace talkface::mftfg {
namespace {

using torch::Tensor;

constexpr int64_t kStartTime = 996;  // where the paper's 200 steps start
// Below this many steps the last one is of first order, as the solver's authors advise.
constexpr int64_t kFirstOrderEnd = 15;

// Step (1) of both samplers.
Tensor KeepGiven(const Schedule& schedule, const SamplerInput& input, int64_t step, int64_t t,
                 const Tensor& x) {
  if (input.inpainting == nullptr) return x;
  const Inpainting& given = *input.inpainting;
  const Tensor noisy = schedule.QSample(given.latents, t, given.noise(step));  // [B, Z, L, L]
  return given.mask * noisy + (1 - given.mask) * x;
}

// lambda = log(sqrt(a) / sqrt(1 - a)), half the logarithm of the signal-to-noise ratio.
double Lambda(double alpha_bar) { return 0.5 * std::log(alpha_bar / (1 - alpha_bar)); }

}  // namespace

DdimSchedule::DdimSchedule(const Schedule& schedule, int64_t steps, double eta) {
  if (steps < 1 || steps > kDiffusionTimes / 2 || kDiffusionTimes % steps != 0) {
    throw Error(Code::kInvalid, "DDIM cannot take " + std::to_string(steps) +
                                    " steps: wanted a divisor of 1000 up to 500, such as 200.");
  }
  const int64_t stride = kDiffusionTimes / steps;
  double previous = schedule.AlphaBar(0);
  for (int64_t t = 1; t <= kDiffusionTimes - stride + 1; t += stride) {
    const float alpha = schedule.AlphaBar(t);
    times.push_back(t);
    alphas.push_back(alpha);
    alphas_prev.push_back(previous);
    sigmas.push_back(eta * std::sqrt((1 - previous) / (1 - alpha) * (1 - alpha / previous)));
    sqrt_one_minus.push_back(std::sqrt(1 - alpha));
    previous = alpha;
  }
}

Tensor SampleDdim(const Schedule& schedule, int64_t steps, const SamplerInput& input) {
  const DdimSchedule plan(schedule, steps);
  Tensor x = input.start;  // [B, Z, L, L]
  for (int64_t step = 0; step < steps; ++step) {
    const size_t i = static_cast<size_t>(steps - 1 - step);
    const float alpha_prev = static_cast<float>(plan.alphas_prev[i]);
    x = KeepGiven(schedule, input, step, plan.times[i], x);                          // (1)
    const Tensor e = input.denoise(x, plan.times[i]);                                // (2)
    const Tensor x0 = (x - plan.sqrt_one_minus[i] * e) / std::sqrt(plan.alphas[i]);  // (3)
    x = std::sqrt(alpha_prev) * x0 + std::sqrt(1 - alpha_prev) * e;
    if (input.done) input.done(step, x, x0);
  }
  return x;
}

std::vector<int64_t> FastTimes(int64_t steps) {
  if (steps < 1 || steps > kMostFastSteps) {
    throw Error(Code::kInvalid, "The fast sampler cannot take " + std::to_string(steps) +
                                    " steps: wanted 1 to " + std::to_string(kMostFastSteps) + ".");
  }
  std::vector<int64_t> times;
  for (int64_t i = 0; i <= steps; ++i) {
    const double part = 1 - static_cast<double>(i) / static_cast<double>(steps);
    // Quadratic: evenly spaced ones leave most of the way, in lambda, to the last step, and the
    // error falls with the number of steps only, not with its square. No time occurs twice.
    times.push_back(std::max<int64_t>(std::llround(kStartTime * part * part), steps - i));
  }
  return times;
}

Tensor SampleFast(const Schedule& schedule, int64_t steps, const SamplerInput& input) {
  const std::vector<int64_t> times = FastTimes(steps);
  Tensor x = input.start;  // [B, Z, L, L]
  Tensor previous;         // x0' of the step before
  double previous_h = 0;
  for (int64_t step = 0; step < steps; ++step) {
    const int64_t t = times[step];
    const double a = schedule.AlphaBar(t), a_next = schedule.AlphaBar(times[step + 1]);
    const double h = Lambda(a_next) - Lambda(a);
    x = KeepGiven(schedule, input, step, t, x);                   // (1)
    const Tensor e = input.denoise(x, t);                         // (2)
    const Tensor x0 = (x - std::sqrt(1 - a) * e) / std::sqrt(a);  // (3)
    const bool second_order = previous.defined() && (step + 1 < steps || steps >= kFirstOrderEnd);
    Tensor d = x0;  // x0' extrapolated to the middle of the step
    if (second_order) d = x0 + (h / previous_h / 2) * (x0 - previous);                   // (4)
    x = std::sqrt((1 - a_next) / (1 - a)) * x - std::sqrt(a_next) * std::expm1(-h) * d;  // (5)
    if (input.done) input.done(step, x, x0);
    previous = x0;
    previous_h = h;
  }
  return x;
}

}  // namespace talkface::mftfg
