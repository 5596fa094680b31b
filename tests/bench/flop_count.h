// SPDX-License-Identifier: MIT
// The arithmetic of a call: convolutions, matrix products and attention, by the sizes of what goes
// in, 2 for a multiplication with its addition.
#pragma once

#include <ATen/record_function.h>
#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace talkface::mftfg {

inline double& CountedFlop() {  // libtorch's callback is a plain function
  static double flop = 0;
  return flop;
}

inline std::unique_ptr<at::ObserverContext> CountCall(const at::RecordFunction& call) {
  const std::string name = call.name();
  const auto inputs = call.inputs();
  if (name == "aten::conv1d" || name == "aten::conv2d") {
    const torch::Tensor x = inputs[0].toTensor(), weight = inputs[1].toTensor();
    const auto strides = inputs[3].toIntVector(), padding = inputs[4].toIntVector();
    double places = static_cast<double>(x.size(0));
    for (int64_t axis = 2; axis < x.dim(); ++axis) {
      const int64_t room = x.size(axis) + 2 * padding[axis - 2] - weight.size(axis);
      places *= static_cast<double>(room / strides[axis - 2] + 1);
    }
    CountedFlop() += 2 * places * static_cast<double>(weight.numel());
  } else if (name == "aten::mm" || name == "aten::addmm") {  // what linear layers come to
    const size_t first = name == "aten::mm" ? 0 : 1;
    const torch::Tensor x = inputs[first].toTensor(), weight = inputs[first + 1].toTensor();
    CountedFlop() += 2.0 * static_cast<double>(x.numel() * weight.size(1));
  } else if (name == "aten::scaled_dot_product_attention") {
    const torch::Tensor q = inputs[0].toTensor(), k = inputs[1].toTensor();
    CountedFlop() += 4.0 * static_cast<double>(q.numel() * k.size(2));
  }
  return nullptr;
}

// In GFLOP, of plain layers: what was packed for the CPU is not seen.
inline double GflopOf(const std::function<void()>& run) {
  const auto handle = at::addGlobalCallback(
      at::RecordFunctionCallback(CountCall).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
  CountedFlop() = 0;
  run();
  at::removeCallback(handle);
  return CountedFlop() / 1e9;
}

}  // namespace talkface::mftfg
