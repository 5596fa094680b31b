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

// A live stream's frames are as far apart as their deadlines, and come a certain time before these,
// though often two or three at once. All times in nanoseconds on the scheduler's clock.
class Pace {
 public:
  void Add(uint64_t submitted_ns, uint64_t deadline_ns) {
    const bool first = deadline_ns_ == 0;
    const uint64_t lead = deadline_ns - std::min(deadline_ns, submitted_ns);
    spacing_ns_ = !first && deadline_ns > deadline_ns_ ? deadline_ns - deadline_ns_ : 0;
    // The least, so that of frames that come at once it is the first one's; but a stream may get
    // further ahead than it was.
    lead_ns_ = first ? lead : std::min(lead, lead_ns_ + spacing_ns_ / 8);
    deadline_ns_ = deadline_ns;
  }
  // When the next frame, which has not come yet, should be drawn: within the time of one frame
  // after it comes, and before its deadline.
  uint64_t NextDue() const { return std::min(Expires(), deadline_ns_ + spacing_ns_); }
  // Whoever lets the time of a frame pass is not waited for any longer.
  uint64_t Expires() const { return deadline_ns_ + 2 * spacing_ns_ - lead_ns_; }
  bool IsExpected(uint64_t now_ns) const { return spacing_ns_ != 0 && now_ns < Expires(); }

 private:
  uint64_t deadline_ns_ = 0, spacing_ns_ = 0, lead_ns_ = 0;
};

}  // namespace talkface
