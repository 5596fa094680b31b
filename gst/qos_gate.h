// SPDX-License-Identifier: MIT
// Decides from a sink's QoS events which frames are not worth rendering. Not thread-safe: the
// element calls it with its object lock held.
#pragma once

#include <gst/gst.h>

namespace talkface {

struct QosReport {
  double proportion;
  GstClockTimeDiff jitter;  // positive: the frame at `timestamp` came late
  GstClockTime timestamp;   // running time
};

class QosGate {
 public:
  void Reset();
  // What a QoS event said. A non-live stream leaves a gap of twice the lateness, at most a second,
  // so that it can catch up; `frame_ns` is the duration of one frame.
  void Update(const QosReport& report, bool live, GstClockTime frame_ns);
  // By how much the frame at that running time would come late; not positive: it is in time.
  GstClockTimeDiff Lateness(GstClockTime running_time) const;
  double proportion() const { return proportion_; }

 private:
  double proportion_ = 0.5;
  GstClockTime earliest_ = GST_CLOCK_TIME_NONE;
};

}  // namespace talkface
