// SPDX-License-Identifier: MIT
// The way of a frame, on the streaming thread: is it due, draw it, push it, tell. Several frames
// are with the engine at once; they leave in order.
#include <algorithm>
#include <utility>

#include "elements/talkfacegen_private.h"
#include "gst/bus_messages.h"

#define GST_CAT_DEFAULT talkfacegen_debug

namespace talkface {
namespace {

// Frames that are drawn or wait for it at a time: as many as keep the engine's workers, one a core,
// at work while the oldest one is pushed. Each holds a buffer.
constexpr unsigned kSpareFrames = 2, kMostFramesInFlight = 8;

size_t FramesInFlight() {
  static const unsigned frames =
      std::min(g_get_num_processors() + kSpareFrames, kMostFramesInFlight);
  return frames;
}

constexpr uint64_t kWaitNs = GST_SECOND;
// A live frame later than this is left out by the engine instead of drawn.
constexpr GstClockTimeDiff kMaxLatenessNs = GST_SECOND;

}  // namespace

// Draws and pushes every frame that is due: all leave in this call.
GstFlowReturn Generator::RenderDue(GstClockTimeDiff due_until) {
  GstBufferPool* pool = gst_aggregator_get_buffer_pool(aggregator());
  // The base class switches a pool off when downstream offers the same one again.
  if (pool != nullptr) gst_buffer_pool_set_active(pool, TRUE);
  std::deque<std::unique_ptr<Frame>> frames;
  GstFlowReturn flow = pool != nullptr ? GST_FLOW_OK : GST_FLOW_NOT_NEGOTIATED;
  while (flow == GST_FLOW_OK) {
    while (frames.size() < FramesInFlight()) {
      std::unique_ptr<Frame> frame;
      flow = StartFrame(pool, frames.empty(), due_until, &frame);
      if (!frame) break;
      frames.push_back(std::move(frame));
    }
    if (flow != GST_FLOW_OK || frames.empty()) break;
    std::unique_ptr<Frame> first = std::move(frames.front());
    frames.pop_front();
    flow = FinishFrame(first.get());
  }
  AbandonFrames(&frames);
  if (pool != nullptr) gst_object_unref(pool);
  return flow;
}

// Gives the next frame to the engine. `out` stays empty if none is due, or the pool has no buffer
// left and `wait` is false.
GstFlowReturn Generator::StartFrame(GstBufferPool* pool, bool wait, GstClockTimeDiff due_until,
                                    std::unique_ptr<Frame>* out) {
  if (flushing_) return GST_FLOW_FLUSHING;
  {
    std::lock_guard<std::mutex> lock(stream_mutex_);
    bool idle = false;
    if (!NextIsDue(due_until, &idle)) return GST_FLOW_OK;
  }
  auto frame = std::make_unique<Frame>();
  const GstFlowReturn flow = frame->output.Acquire(pool, video_info_, wait);
  if (flow == GST_FLOW_EOS && !wait) return GST_FLOW_OK;
  if (flow != GST_FLOW_OK) return flow;
  do {
    Status status;
    if (!TakeNextFrame(due_until, frame.get(), &status))
      return status.ok() ? GST_FLOW_OK : FailWith(status);
  } while (DropLate(*frame));

  const FrameTarget target = frame->output.Target();
  Job job;
  job.scene = identity_.scene.get();
  job.controls = frame->controls.get();
  job.time_ns = frame->offset_ns;
  job.expression_gain = GainFor(*frame);
  job.target = &target;
  job.batch_timeout_ns = std::min<uint64_t>(SettingsNow().batch_timeout, frame->duration);
  if (due_until != G_MININT64) {
    const GstClockTimeDiff left = RunningTime(frame->pts) - due_until + kMaxLatenessNs;
    const auto now = static_cast<GstClockTimeDiff>(OpenedEngine()->Now());
    job.deadline_ns = static_cast<uint64_t>(std::max<GstClockTimeDiff>(now + left, 1));
  }
  frame->submitted_us = g_get_monotonic_time();
  const Status status = renderer_->Submit(job, &frame->ticket);
  if (!status.ok()) {
    CountDropped(1);
    return FailWith(status);
  }
  *out = std::move(frame);
  return GST_FLOW_OK;
}

// With stream_mutex_. A frame is due when its speech is here, or when its time has come.
bool Generator::NextIsDue(GstClockTimeDiff due_until, bool* idle) const {
  const uint64_t offset = clock_.Offset();
  const bool covered = clock_.Covered(timeline_->Length());
  *idle = !(covered && offset >= speech_base_ && speech_->Ready(offset - speech_base_));
  if (drained_) return covered;
  return !*idle || NextRunningTime() <= due_until;
}

bool Generator::TakeNextFrame(GstClockTimeDiff due_until, Frame* frame, Status* status) {
  std::lock_guard<std::mutex> lock(stream_mutex_);
  if (!NextIsDue(due_until, &frame->idle)) return false;
  frame->offset_ns = clock_.Offset();
  frame->pts = segment_.start + frame->offset_ns;
  frame->duration = clock_.End() - frame->offset_ns;
  frame->number = clock_.Number();
  *status = speech_->Take(frame->offset_ns - speech_base_, frame->controls.Out());
  if (!status->ok()) return false;
  clock_.Advance();
  begun_ = true;
  return true;
}

// Would the sink come too late with it? Then it is dropped before any work is done.
bool Generator::DropLate(const Frame& frame) {
  const GstClockTimeDiff running_time = RunningTime(frame.pts);
  GST_OBJECT_LOCK(element_);
  const GstClockTimeDiff late =
      running_time >= 0 ? qos_.Lateness(static_cast<GstClockTime>(running_time)) : 0;
  GST_OBJECT_UNLOCK(element_);
  if (late <= 0) return false;
  GST_DEBUG_OBJECT(element_, "frame=%" G_GUINT64_FORMAT " dropped, late by %" G_GINT64_FORMAT,
                   frame.number, late);
  CountDropped(1);
  PostQos(frame, late);
  return true;
}

void Generator::CountDropped(guint64 frames) {
  GST_OBJECT_LOCK(element_);
  counters_.due += frames;
  counters_.dropped += frames;
  GST_OBJECT_UNLOCK(element_);
  discont_ = true;
}

void Generator::PostQos(const Frame& frame, GstClockTimeDiff late) {
  GST_OBJECT_LOCK(element_);
  const Counters counters = counters_;
  const double proportion = qos_.proportion();
  GST_OBJECT_UNLOCK(element_);
  GstMessage* message = gst_message_new_qos(
      GST_OBJECT(element_), live_, static_cast<guint64>(RunningTime(frame.pts)),
      gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, frame.pts), frame.pts, frame.duration);
  gst_message_set_qos_values(message, late, proportion, 1000000);
  gst_message_set_qos_stats(message, GST_FORMAT_BUFFERS, counters.rendered + counters.idle,
                            counters.dropped);
  gst_element_post_message(element(), message);
}

double Generator::GainFor(const Frame& frame) {
  const GstClockTime time = gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, frame.pts);
  if (GST_CLOCK_TIME_IS_VALID(time)) gst_object_sync_values(GST_OBJECT(element_), time);
  const bool scales = OpenedEngine()->Info().scales_expression != 0;
  GST_OBJECT_LOCK(element_);
  const double gain = knobs_.expression_gain;
  const bool warn = !scales && (gain < 1.0 || gain > 1.0) && !gain_warned_;
  gain_warned_ = gain_warned_ || warn;
  GST_OBJECT_UNLOCK(element_);
  if (warn) {
    GST_ELEMENT_WARNING(element_, RESOURCE, SETTINGS,
                        ("expression-gain has no effect: this model cannot scale the expression."),
                        (nullptr));
  }
  return gain;
}

// Waits for the picture and pushes it.
GstFlowReturn Generator::FinishFrame(Frame* frame) {
  Status status;
  do {
    status = renderer_->Wait(frame->ticket, kWaitNs);
  } while (status.code == Code::kTimeout);
  if (status.ok()) return PushFrame(frame);
  CountDropped(1);
  if (status.code == Code::kCancelled) return flushing_ ? GST_FLOW_FLUSHING : GST_FLOW_OK;
  if (status.code != Code::kLate) return FailWith(status);
  PostQos(*frame, kMaxLatenessNs);
  return GST_FLOW_OK;
}

GstFlowReturn Generator::PushFrame(Frame* frame) {
  const auto render_ns =
      static_cast<guint64>(g_get_monotonic_time() - frame->submitted_us) * GST_USECOND;
  GstBuffer* buffer = frame->output.Release();
  GST_BUFFER_PTS(buffer) = frame->pts;
  GST_BUFFER_DURATION(buffer) = frame->duration;
  if (std::exchange(discont_, false)) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
  if (frame->idle) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_GAP);

  GST_OBJECT_LOCK(element_);
  ++counters_.due;
  ++(frame->idle ? counters_.idle : counters_.rendered);
  counters_.render_ns_sum += render_ns;
  counters_.render_ns_max = std::max(counters_.render_ns_max, render_ns);
  position_ = frame->pts + frame->duration;
  const bool post = knobs_.post_messages;
  GST_OBJECT_UNLOCK(element_);
  GST_LOG_OBJECT(element_, "frame=%" G_GUINT64_FORMAT " pts %" GST_TIME_FORMAT "%s", frame->number,
                 GST_TIME_ARGS(frame->pts), frame->idle ? ", idle" : "");
  if (post) PostFrameMessage(*frame);
  return gst_aggregator_finish_buffer(aggregator(), buffer);
}

void Generator::PostFrameMessage(const Frame& frame) {
  EngineRef<Engine> engine = OpenedEngine();
  const EngineInfo& info = engine->Info();
  FrameMessage message{};
  message.timestamp = frame.pts;
  message.stream_time = gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, frame.pts);
  message.running_time = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, frame.pts);
  message.duration = frame.duration;
  message.frame = frame.number;
  message.idle = frame.idle;
  message.units = info.units;
  message.intensities = frame.controls->Units();
  message.unit_count = info.unit_count;
  PostFrame(element(), message);
}

// Gives up frames that are with the engine: their buffers may go once it has let go of them.
void Generator::AbandonFrames(std::deque<std::unique_ptr<Frame>>* frames) {
  if (frames->empty()) return;
  renderer_->Cancel();
  for (const auto& frame : *frames) renderer_->Wait(frame->ticket, 0);
  CountDropped(frames->size());
  frames->clear();
}

}  // namespace talkface
