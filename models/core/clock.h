// SPDX-License-Identifier: MIT
// The time that the scheduler goes by: a monotonic clock in production, a scripted one in tests.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace talkface {

uint64_t MonotonicNow();  // nanoseconds

// Every call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual uint64_t Now() const = 0;  // nanoseconds, never going back
  // Lets go of `lock` and waits until `condition` is notified or `until_ns` has come (UINT64_MAX:
  // never). It may return earlier: call it in a loop that looks at what is waited for.
  virtual void WaitUntil(std::condition_variable& condition, std::unique_lock<std::mutex>& lock,
                         uint64_t until_ns) = 0;
};

// MonotonicNow's. Never destroyed.
Clock& SteadyClock();

}  // namespace talkface
