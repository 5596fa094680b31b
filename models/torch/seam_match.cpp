// SPDX-License-Identifier: MIT
#include "models/torch/seam_match.h"

namespace talkface::nets {
namespace {

using torch::Tensor;

constexpr int64_t kMatchShare = 4;  // colours are matched over R / 4

// Spread over the distance in which colours are matched.
Tensor Wide(const Tensor& x) {
  const int64_t radius = x.size(3) / kMatchShare;
  return BoxMean(BoxMean(x, radius), radius);
}

}  // namespace

Tensor BoxMean(const Tensor& x, int64_t radius) {
  const int64_t side = 2 * radius + 1;
  const Tensor across = at::avg_pool2d(x, {1, side}, {1, 1}, {0, radius});
  return at::avg_pool2d(across, {side, 1}, {1, 1}, {radius, 0});
}

Seam MakeSeam(const Tensor& reference, const Tensor& edge) { return {reference, edge, Wide(edge)}; }

Tensor MatchSeams(const Tensor& pictures, const std::vector<const Seam*>& seams) {
  constexpr double kNoSeam = 1e-6;
  const auto all = [&seams](Tensor Seam::*part) {
    if (seams.size() == 1) return seams.front()->*part;
    std::vector<Tensor> parts;
    for (const Seam* seam : seams) parts.push_back(seam->*part);
    return torch::cat(parts);
  };
  const Tensor missing = all(&Seam::edge) * (all(&Seam::reference) - pictures);
  return pictures + Wide(missing) / (all(&Seam::reach) + kNoSeam);  // [B, 3, R, R]
}

}  // namespace talkface::nets
