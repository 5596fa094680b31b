// SPDX-License-Identifier: MIT
// A device's streams and events in libtorch's device-neutral form. A CPU works at once: there a
// lane is nothing and a mark has always passed.
#pragma once

#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/torch.h>

#include <optional>

namespace talkface::nets {

// One queue of work of a device.
class Lane {
 public:
  // Libtorch hands its few streams of either urgency out in turn: what is recorded into graphs must
  // not share one with others, so lanes for that are not urgent, and all others are.
  enum class Urgency { kRecorded, kUrgent };
  Lane(torch::Device device, Urgency urgency) {
    if (device.is_cpu()) return;
    const c10::impl::VirtualGuardImpl guard(device.type());
    stream_ = guard.getStreamFromGlobalPool(device, urgency == Urgency::kUrgent);
  }
  const std::optional<c10::Stream>& stream() const { return stream_; }
  // While it lives, this thread's work goes there.
  c10::OptionalStreamGuard Enter() const { return c10::OptionalStreamGuard(stream_); }
  // Memory of another lane that this one reads: not used again before this one is through with it.
  void Keep(const torch::Tensor& tensor) const {
    if (stream_) tensor.record_stream(*stream_);
  }

 private:
  std::optional<c10::Stream> stream_;
};

// A place in a lane.
class Mark {
 public:
  void Set(const Lane& lane) {
    if (!lane.stream()) return;
    if (!event_) event_.emplace(lane.stream()->device_type());
    event_->record(*lane.stream());
  }
  // Lets `lane` go on only once the mark has passed.
  void Hold(const Lane& lane) const {
    if (event_) event_->block(*lane.stream());
  }
  // Waits for it here.
  void Wait() const {
    if (event_) event_->synchronize();
  }

 private:
  std::optional<c10::Event> event_;
};

// The tensor on the device, on its way there without a wait.
inline torch::Tensor SendTo(torch::Device device, const torch::Tensor& tensor) {
  return device.is_cpu() ? tensor : tensor.pin_memory().to(device, /*non_blocking=*/true);
}

// Waits until all is done that this thread asked of the device: results are then every lane's.
inline void FinishWork(torch::Device device) {
  if (device.is_cpu()) return;
  const c10::impl::VirtualGuardImpl guard(device.type());
  guard.synchronizeStream(guard.getStream(device));
}

}  // namespace talkface::nets
