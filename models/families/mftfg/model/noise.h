// SPDX-License-Identifier: MIT
// Gaussian noise that is a function of (seed, frame, draw, element) alone: the same on every device
// and however frames are batched. Philox4x32-10 (Salmon et al. 2011) and Box-Muller, on the CPU.
#pragma once

#include <torch/torch.h>

#include <array>
#include <cstdint>
#include <vector>

namespace talkface::mftfg {

// One block of the generator: ten rounds on a counter under a key.
std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

class Noise {
 public:
  explicit Noise(uint64_t seed) : seed_(seed) {}
  // Standard normal float32 [frames, shape...]. `draw` tells a frame's tensors apart.
  torch::Tensor Draw(const std::vector<uint64_t>& frames, uint32_t draw,
                     torch::IntArrayRef shape) const;

 private:
  uint64_t seed_;
};

}  // namespace talkface::mftfg
