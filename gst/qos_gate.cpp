// SPDX-License-Identifier: MIT
#include "gst/qos_gate.h"

#include <algorithm>

namespace talkface {

void QosGate::Reset() { *this = QosGate(); }

void QosGate::Update(const QosReport& report, bool live, GstClockTime frame_ns) {
  proportion_ = report.proportion;
  if (!GST_CLOCK_TIME_IS_VALID(report.timestamp)) {
    earliest_ = GST_CLOCK_TIME_NONE;
    return;
  }
  const auto timestamp = static_cast<GstClockTimeDiff>(report.timestamp);
  GstClockTimeDiff earliest = timestamp + report.jitter;
  if (!live && report.jitter > 0) {
    const GstClockTimeDiff second = GST_SECOND;
    earliest =
        timestamp + std::min(2 * report.jitter, second) + static_cast<GstClockTimeDiff>(frame_ns);
  }
  earliest_ = static_cast<GstClockTime>(std::max<GstClockTimeDiff>(earliest, 0));
}

GstClockTimeDiff QosGate::Lateness(GstClockTime running_time) const {
  if (!GST_CLOCK_TIME_IS_VALID(earliest_) || !GST_CLOCK_TIME_IS_VALID(running_time)) return 0;
  return GST_CLOCK_DIFF(running_time, earliest_);
}

}  // namespace talkface
