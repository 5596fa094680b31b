// SPDX-License-Identifier: MIT
#include "models/families/mftfg/model/diffusion.h"

#include <cmath>

namespace talkface::mftfg {
namespace {

using torch::Tensor;

constexpr double kFirstBeta = 0.0015, kLastBeta = 0.0195;

}  // namespace

Schedule::Schedule() {
  const Tensor roots = torch::linspace(std::sqrt(kFirstBeta), std::sqrt(kLastBeta), kDiffusionTimes,
                                       torch::kFloat64);  // [1000]
  const Tensor beta = roots.square();
  const Tensor alpha_bar = (1 - beta).cumprod(0);
  betas = beta.to(torch::kFloat32);
  alphas_cumprod = alpha_bar.to(torch::kFloat32);
  alphas_cumprod_prev =
      torch::cat({torch::ones(1), alphas_cumprod.narrow(0, 0, kDiffusionTimes - 1)});
  sqrt_alphas_cumprod = alpha_bar.sqrt().to(torch::kFloat32);
  sqrt_one_minus_alphas_cumprod = (1 - alpha_bar).sqrt().to(torch::kFloat32);
}

Tensor Schedule::QSample(const Tensor& x0, const Tensor& t, const Tensor& noise) const {
  const Tensor times = t.to(torch::kCPU);
  const Tensor signal = sqrt_alphas_cumprod.index({times}).view({-1, 1, 1, 1}).to(x0);
  const Tensor spread = sqrt_one_minus_alphas_cumprod.index({times}).view({-1, 1, 1, 1}).to(x0);
  return signal * x0 + spread * noise;
}

Tensor Schedule::QSample(const Tensor& x0, int64_t t, const Tensor& noise) const {
  // As numbers, which no device has to be waited for.
  return sqrt_alphas_cumprod.const_data_ptr<float>()[t] * x0 +
         sqrt_one_minus_alphas_cumprod.const_data_ptr<float>()[t] * noise;
}

}  // namespace talkface::mftfg
