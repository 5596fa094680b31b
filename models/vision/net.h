// SPDX-License-Identifier: MIT
// Runs one of MediaPipe's converted tflite nets (scripts/convert_mediapipe.py) with libtorch.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/core/safetensors.h"

namespace talkface::vision {

// A net: its weights and the list of its ops, which the file's metadata carries as JSON under
// "graph". Immutable, any thread. A call sets torch's intra-op threads of the calling thread to
// one: on nets this small a second thread costs more than it brings.
class Net {
 public:
  // Throws Error{kUnsupported} in a build without libtorch.
  static void RequireRuntime();

  // Throws Error{kBadPack} naming the file and what in it cannot be run.
  explicit Net(std::shared_ptr<const SafeTensors> file);
  ~Net();
  Net(const Net&) = delete;
  Net& operator=(const Net&) = delete;

  // `input` is height x width x channels as InputShape() says; the result is each output of the
  // graph, flat, channels last.
  std::vector<std::vector<float>> Run(const std::vector<float>& input) const;

  const std::array<int64_t, 3>& InputShape() const;
  uint64_t MemoryUse() const;  // bytes of weights

 private:
  struct Graph;
  std::unique_ptr<const Graph> graph_;
};

}  // namespace talkface::vision
