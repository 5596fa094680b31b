// SPDX-License-Identifier: MIT
// Runs one of MediaPipe's converted tflite nets (scripts/convert_mediapipe.py), on one core.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/core/safetensors.h"
#include "models/vision/net_kernels.h"

namespace talkface::vision {

struct Plan;

// A net: its weights and the list of its ops, which the file's metadata carries as JSON under
// "graph". Immutable, any thread; each call takes memory of its own.
class Net {
 public:
  // Reads all it needs of the file. Throws Error{kBadPack} naming the file and what in it cannot
  // be run. Any of RunnableNetKernels() does; the first is the fastest.
  explicit Net(std::shared_ptr<const SafeTensors> file,
               const NetKernels& kernels = *RunnableNetKernels().front());
  ~Net();
  Net(const Net&) = delete;
  Net& operator=(const Net&) = delete;

  // `input` is height x width x channels as InputShape() says, else Error{kInvalid}; the result is
  // each output of the graph, flat, channels last.
  std::vector<std::vector<float>> Run(const std::vector<float>& input) const;

  const std::array<int64_t, 3>& InputShape() const { return input_; }
  std::vector<size_t> OutputCounts() const;        // numbers that each output holds
  uint64_t MemoryUse() const;                      // bytes of weights
  uint64_t RunMemory() const;                      // bytes that a run takes beside them
  uint64_t MultiplyAdds() const { return work_; }  // of a run, and what takes about as long

 private:
  const NetKernels& kernels_;
  std::array<int64_t, 3> input_{};
  std::vector<size_t> outputs_;  // values
  uint64_t work_ = 0;
  std::unique_ptr<const Plan> plan_;
};

}  // namespace talkface::vision
