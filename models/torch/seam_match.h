// SPDX-License-Identifier: MIT
// Generated faces brought to the colours of the portraits that they are pasted into.
#pragma once

#include <torch/torch.h>

#include <vector>

namespace talkface::nets {

// The mean of the square of 2 `radius` + 1 pixels around each pixel, what lies beyond the picture
// being 0. x [B, C, R, R].
torch::Tensor BoxMean(const torch::Tensor& x, int64_t radius);

// Where a generated picture must look like the portrait. Tensors are R wide and high.
struct Seam {
  torch::Tensor reference;  // the portrait there, [1, 3, R, R], 0..1
  torch::Tensor edge;       // [1, 1, R, R]: 1 on the seam, falling to 0 on both sides
  torch::Tensor reach;      // [1, 1, R, R]: the edge spread as far as colours are matched
};
Seam MakeSeam(const torch::Tensor& reference, const torch::Tensor& edge);

// Pictures, [B, 3, R, R] in 0..1, with their colours moved, smoothly, to where each equals the
// portrait along its seam.
torch::Tensor MatchSeams(const torch::Tensor& pictures, const std::vector<const Seam*>& seams);

}  // namespace talkface::nets
