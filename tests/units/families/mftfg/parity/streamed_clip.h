// SPDX-License-Identifier: MIT
// The official inference's clip as a stream: speech in pieces, frames one by one.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "models/families/mftfg/model/model.h"

namespace talkface::parity {

// T frames, and what the official dataset cut out of the video beforehand.
struct Clip {
  std::vector<float> speech;     // 16 kHz; frame 0 is drawn 160 ms after its begin
  mftfg::FaceLatents face;       // [T or 1, ...]
  torch::Tensor landmarks;       // [T, 39, 2]
  torch::Tensor start, renoise;  // [T, Z, L, L], [S, T, Z, L, L]
};

// Latents [T, Z, L, L], made by the classes that the family streams with; only the sampler, DDIM
// with S steps, and its noise are the reference's. `model` is prepared for inference.
torch::Tensor StreamedLatents(mftfg::Model model, const Clip& clip);

}  // namespace talkface::parity
