// SPDX-License-Identifier: MIT
// What the scheduler foresees: how long a drawing will take, and when a live stream's next frame is
// wanted. Neither has a lock of its own: the scheduler's guards them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace talkface {

// The longest of the last drawings, as what is planned with too little comes too late.
class DrawingTime {
 public:
  void Add(uint64_t ns) { last_[next_++ % last_.size()] = ns; }
  bool IsKnown() const { return next_ > 0; }
  uint64_t Longest() const { return *std::max_element(last_.begin(), last_.end()); }

 private:
  std::array<uint64_t, 16> last_{};
  size_t next_ = 0;
};

// A live stream's frames come as far apart as their deadlines are. All times in nanoseconds on the
// scheduler's clock.
class Pace {
 public:
  void Add(uint64_t submitted_ns, uint64_t deadline_ns) {
    spacing_ns_ = deadline_ns_ != 0 && deadline_ns > deadline_ns_ ? deadline_ns - deadline_ns_ : 0;
    submitted_ns_ = submitted_ns;
    deadline_ns_ = deadline_ns;
  }
  // When the next frame, which has not come yet, should be drawn: before the one after it comes,
  // and before its deadline.
  uint64_t NextDue() const {
    return std::min(submitted_ns_ + 2 * spacing_ns_, deadline_ns_ + spacing_ns_);
  }
  // Whoever lets the time of two frames pass is not waited for any longer.
  uint64_t Expires() const { return submitted_ns_ + 2 * spacing_ns_; }
  bool IsExpected(uint64_t now_ns) const { return spacing_ns_ != 0 && now_ns < Expires(); }

 private:
  uint64_t submitted_ns_ = 0, deadline_ns_ = 0, spacing_ns_ = 0;
};

}  // namespace talkface
