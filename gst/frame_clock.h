// SPDX-License-Identifier: MIT
// Which frame comes next and when: the only place where frame times are computed. All times are
// offsets in nanoseconds from the start of the segment; frame n is at n x fps_d / fps_n seconds,
// scaled once and never accumulated. Not thread-safe.
#pragma once

#include <cstdint>

namespace talkface {

// A length of audio, exact: `base_ns` nanoseconds and `samples` samples.
struct AudioLength {
  uint64_t base_ns = 0;
  uint64_t samples = 0;
  uint32_t rate_hz = 1;
};

class FrameClock {
 public:
  // The next frame is number 0, at offset 0.
  void Restart();
  // Frames per second from the next frame on, which keeps its number and time; both positive.
  void SetRate(int numerator, int denominator);

  uint64_t Number() const { return number_; }      // of the next frame, within the segment
  uint64_t Offset() const { return OffsetOf(0); }  // of the next frame
  uint64_t End() const { return OffsetOf(1); }     // of the frame after it
  uint64_t Period() const;                         // nanoseconds of one frame, rounded down
  void Advance() { ++step_, ++number_; }
  // Makes the last frame that begins at or before `offset_ns` the next one, never an earlier one
  // than it is now; returns how many frames are left out.
  uint64_t JumpTo(uint64_t offset_ns);
  // Does the next frame begin before `length` ends? So D seconds give ceil(D x rate) frames.
  bool Covered(const AudioLength& length) const;

 private:
  uint64_t OffsetOf(uint64_t ahead) const;

  uint64_t base_ns_ = 0;  // offset of the frame at which the rate was set
  uint64_t step_ = 0;     // frames since then
  uint64_t number_ = 0;
  uint64_t numerator_ = 25, denominator_ = 1;
};

}  // namespace talkface
