// SPDX-License-Identifier: MIT
// The diffusion times that a U-Net is really called with, whoever calls it.
#pragma once

#include <ATen/record_function.h>
#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace talkface::mftfg {

// While it lives, the times of this thread's calls, in order. The U-Net turns a time t into cos(t
// w) and sin(t w) first of all, and its first frequency w is 1: the argument of the cosine tells t.
class NetTimes {
 public:
  NetTimes()
      : handle_(
            at::addThreadLocalCallback(at::RecordFunctionCallback(Note).needsInputs(true).scopes(
                {at::RecordScope::FUNCTION}))) {
    Seen().clear();
  }
  NetTimes(const NetTimes&) = delete;
  NetTimes& operator=(const NetTimes&) = delete;
  ~NetTimes() { at::removeCallback(handle_); }

  // Since it was asked before. A call with several times in its batch counts as so many.
  std::vector<int64_t> Take() { return std::exchange(Seen(), {}); }

 private:
  static std::vector<int64_t>& Seen() {  // libtorch's callback is a plain function
    static thread_local std::vector<int64_t> times;
    return times;
  }

  static std::unique_ptr<at::ObserverContext> Note(const at::RecordFunction& call) {
    if (std::string(call.name()) != "aten::cos") return nullptr;
    const torch::Tensor angles = call.inputs()[0].toTensor();  // [B, half]
    for (int64_t row = 0; row < angles.size(0); ++row)
      Seen().push_back(static_cast<int64_t>(angles.const_data_ptr<float>()[row * angles.size(1)]));
    return nullptr;
  }

  const at::CallbackHandle handle_;
};

}  // namespace talkface::mftfg
