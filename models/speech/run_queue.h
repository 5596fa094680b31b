// SPDX-License-Identifier: MIT
// A stream's speech as runs: stretches without interruption, which follow each other on the
// stream's clock without gap or overlap. Only the last one is open-ended. Drain ends it, Interrupt
// cuts it off; what is pushed after that begins another.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <utility>

namespace talkface::speech {

// A Run counts time from its own first sample, and has
//   void Push(const float* samples, uint64_t count);
//   void Finish();             no more samples will come
//   bool finished() const;
//   uint64_t EndNs() const;    of what was pushed
// One thread at a time.
template <typename Run>
class RunQueue {
 public:
  struct Placed {
    uint64_t begin_ns, until_ns;  // on the stream's clock
    uint32_t number;              // tells runs apart
    std::unique_ptr<Run> run;
    uint64_t Within(uint64_t time_ns) const { return time_ns - std::min(time_ns, begin_ns); }
  };

  // `make_run` makes an empty run.
  explicit RunQueue(std::function<std::unique_ptr<Run>()> make_run)
      : make_run_(std::move(make_run)) {
    Open(0);
  }

  void Push(const float* samples, uint64_t count) {
    if (count == 0) return;
    const Placed& last = runs_.back();
    if (last.run->finished()) Open(last.begin_ns + last.run->EndNs());
    runs_.back().run->Push(samples, count);
  }

  void Drain() { runs_.back().run->Finish(); }

  // Forgets what was said from `at_ns` on. What was said before still stands; the look-ahead it
  // lacks will not come.
  void Interrupt(uint64_t at_ns) {
    while (runs_.size() > 1 && runs_.back().begin_ns >= at_ns) runs_.pop_back();
    if (runs_.back().begin_ns >= at_ns) {
      runs_.clear();
    } else {
      runs_.back().run->Finish();
    }
    Open(at_ns);
  }

  void Reset() {
    runs_.clear();
    Open(0);
  }

  // The run that `time_ns` lies in.
  const Placed& At(uint64_t time_ns) const {
    return *std::find_if(runs_.begin(), runs_.end(),
                         [time_ns](const Placed& placed) { return time_ns < placed.until_ns; });
  }
  // The same; forgets the runs before it.
  const Placed& Advance(uint64_t time_ns) {
    while (runs_.front().until_ns <= time_ns) runs_.pop_front();
    return runs_.front();
  }

 private:
  static constexpr uint64_t kOpenEndNs = std::numeric_limits<uint64_t>::max();

  void Open(uint64_t begin_ns) {
    if (!runs_.empty()) runs_.back().until_ns = begin_ns;
    runs_.push_back({begin_ns, kOpenEndNs, next_number_++, make_run_()});
  }

  const std::function<std::unique_ptr<Run>()> make_run_;
  std::deque<Placed> runs_;  // never empty
  uint32_t next_number_ = 0;
};

}  // namespace talkface::speech
