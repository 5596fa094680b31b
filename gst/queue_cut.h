// SPDX-License-Identifier: MIT
// Empties a queue in mid-stream without a flush: its pads keep their segment, upstream notices
// nothing, and buffers that come after the cut pass.
#pragma once

#include <gst/gst.h>

#include <memory>

namespace talkface {

class QueueCut {
 public:
  // Watches a `queue` element that is empty. `output` is the pad through which its buffers leave
  // the bin, or null: while that pad is not linked its buffers are dropped, where the queue would
  // end the stream.
  QueueCut(GstElement* queue, GstPad* output);

  // Drops every buffer that has reached the queue and not left it. From any thread; never waits
  // for streaming.
  void Cut();

  // The queue has been emptied by a state change.
  void Reset();

 private:
  struct Counts;
  std::shared_ptr<Counts> counts_;  // the probes' too: the queue may outlive this object
};

}  // namespace talkface
