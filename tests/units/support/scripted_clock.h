// SPDX-License-Identifier: MIT
// A clock that a test turns on: time stands still until each of the scheduler's workers waits for
// something, and then jumps to the next moment that one of them waits for. So a test of minutes
// takes milliseconds and ends the same on every machine.
#pragma once

#include <algorithm>
#include <set>

#include "models/core/clock.h"

namespace talkface::test {

class ScriptedClock : public Clock {
 public:
  // `workers`: how many threads wait by this clock, besides the test's own.
  explicit ScriptedClock(unsigned workers) : workers_(workers) {}

  uint64_t Now() const override {
    std::lock_guard<std::mutex> lock(mutex_);
    return now_;
  }

  // Not woken by `condition`: RunUntil wakes every waiter to look again.
  void WaitUntil(std::condition_variable&, std::unique_lock<std::mutex>& lock,
                 uint64_t until_ns) override {
    lock.unlock();
    Pause(until_ns);
    lock.lock();
  }

  // A worker's: as if something took that long.
  void Spend(uint64_t ns) {
    const uint64_t end = Now() + ns;
    while (Now() < end && !IsOver()) Pause(end);
  }

  // The test's: lets all happen that happens until then.
  void RunUntil(uint64_t time_ns) {
    for (;;) {
      Settle();
      std::lock_guard<std::mutex> lock(mutex_);
      const uint64_t next = wakes_.empty() ? UINT64_MAX : *wakes_.begin();
      if (next > time_ns) break;
      now_ = std::max(now_, next);
    }
    {
      std::lock_guard<std::mutex> lock(mutex_);
      now_ = std::max(now_, time_ns);
    }
    Settle();
  }

  // From now on nothing waits any more. To be called before the scheduler goes.
  void End() {
    std::lock_guard<std::mutex> lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }

 private:
  bool IsOver() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return over_;
  }

  void Pause(uint64_t until_ns) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (over_ || until_ns <= now_) return;
    const auto wake = wakes_.insert(until_ns);
    const uint64_t round = round_;
    ++paused_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return round_ != round || over_; });
    wakes_.erase(wake);
  }

  // Lets every worker look again, as often as there are workers: what one does may be what another
  // waits for.
  void Settle() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (unsigned i = 0; i <= workers_; ++i) {
      changed_.wait(lock, [this] { return paused_ == workers_; });
      paused_ = 0;
      ++round_;
      changed_.notify_all();
    }
    changed_.wait(lock, [this] { return paused_ == workers_; });
  }

  const unsigned workers_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // All of these guarded by mutex_.
  uint64_t now_ = 1'000'000'000;
  uint64_t round_ = 0;
  unsigned paused_ = 0;  // workers that wait in this round
  std::multiset<uint64_t> wakes_;
  bool over_ = false;
};

}  // namespace talkface::test
