// SPDX-License-Identifier: MIT
#include "models/core/clock.h"

#include <algorithm>
#include <chrono>

namespace talkface {
namespace {

constexpr uint64_t kLongWait =
    3'600'000'000'000;  // an hour; wait_until overflows on far larger ones

class MonotonicClock : public Clock {
 public:
  uint64_t Now() const override { return MonotonicNow(); }
  void WaitUntil(std::condition_variable& condition, std::unique_lock<std::mutex>& lock,
                 uint64_t until_ns) override {
    const std::chrono::nanoseconds until(std::min(until_ns, MonotonicNow() + kLongWait));
    condition.wait_until(lock, std::chrono::steady_clock::time_point(until));
  }
};

}  // namespace

uint64_t MonotonicNow() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

Clock& SteadyClock() {
  static Clock* const clock = new MonotonicClock;
  return *clock;
}

}  // namespace talkface
