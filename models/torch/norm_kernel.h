// SPDX-License-Identifier: MIT
// silu(GroupNorm(x)) on channels-last maps, for NormImpl's fast path.
#pragma once

#include <cstdint>
#include <functional>

namespace talkface::nets {

struct NormJob {
  const void* input;  // [pixels, channels], contiguous
  void* output;       // the same layout
  bool bfloat16;      // else float32, both ends
  int64_t pixels = 0, channels = 0, groups = 0;
  double epsilon = 0;
  const float* weight;  // [channels]
  const float* bias;    // [channels]
  bool silu = false;
};

// Runs body(begin, end) over parts of 0..count, on as many threads as the caller likes.
using ParallelFor =
    std::function<void(int64_t count, const std::function<void(int64_t begin, int64_t end)>& body)>;

// One sample. Statistics are sums of deviations from the first pixel, in double precision over
// blocks of pixels whose bounds do not depend on the number of threads: so neither does the result.
void RunGroupNorm(const NormJob& job, const ParallelFor& parallel);

}  // namespace talkface::nets
