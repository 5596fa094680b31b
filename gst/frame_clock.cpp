// SPDX-License-Identifier: MIT
#include "gst/frame_clock.h"

#include <gst/gst.h>

namespace talkface {
namespace {

// Wide enough for 2^40 frames at any rate that fits two ints, times any audio rate.
__extension__ typedef __int128 Wide;

}  // namespace

void FrameClock::Restart() {
  base_ns_ = 0;
  step_ = 0;
  number_ = 0;
}

void FrameClock::SetRate(int numerator, int denominator) {
  base_ns_ = Offset();
  step_ = 0;
  numerator_ = static_cast<uint64_t>(numerator);
  denominator_ = static_cast<uint64_t>(denominator);
}

uint64_t FrameClock::OffsetOf(uint64_t ahead) const {
  return base_ns_ + gst_util_uint64_scale(step_ + ahead, GST_SECOND * denominator_, numerator_);
}

uint64_t FrameClock::Period() const {
  return gst_util_uint64_scale(1, GST_SECOND * denominator_, numerator_);
}

uint64_t FrameClock::JumpTo(uint64_t offset_ns) {
  if (offset_ns < End()) return 0;
  uint64_t step =
      gst_util_uint64_scale(offset_ns - base_ns_, numerator_, GST_SECOND * denominator_);
  // Frame times are rounded down to nanoseconds: the scaling back may land one frame early.
  if (OffsetOf(step + 1 - step_) <= offset_ns) ++step;
  const uint64_t skipped = step - step_;
  step_ = step;
  number_ += skipped;
  return skipped;
}

bool FrameClock::Covered(const AudioLength& length) const {
  const Wide frame = static_cast<Wide>(base_ns_) * numerator_ +
                     static_cast<Wide>(step_) * GST_SECOND * denominator_;
  const Wide end = static_cast<Wide>(length.base_ns) * length.rate_hz +
                   static_cast<Wide>(length.samples) * GST_SECOND;
  return frame * length.rate_hz < end * numerator_;
}

}  // namespace talkface
