// SPDX-License-Identifier: MIT
// The way of the audio, on the streaming thread: take speech, see what is due, and feed the engine.
// talkfacegen_frames.cpp draws and pushes what is due.
#include <algorithm>
#include <utility>

#include "elements/talkfacegen_private.h"
#include "gst/bus_messages.h"

#define GST_CAT_DEFAULT talkfacegen_debug

namespace talkface {
namespace {

// Speech this far behind the video is not worth hearing, and a hole this long not worth filling.
constexpr uint64_t kMaxBacklogNs = 2 * GST_SECOND;
constexpr uint64_t kFeedsPerSecond = 2;  // audio is fed in portions of at most half a second
constexpr uint64_t kInterruptFadeNs = 200 * GST_MSECOND;
constexpr GstClockTimeDiff kMaxLateFrames = 3;

}  // namespace

// Runs when audio came, when the deadline of the next frame passed, and at the end of the stream.
GstFlowReturn Generator::Aggregate(bool timeout) {
  if (flushing_) return GST_AGGREGATOR_FLOW_NEED_DATA;
  GstFlowReturn flow = std::exchange(event_flow_, GST_FLOW_OK);
  if (flow != GST_FLOW_OK) return flow;
  if (!negotiated_)
    return GST_PAD_IS_FLUSHING(source()) ? GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
  live_ = GST_CLOCK_TIME_IS_VALID(gst_aggregator_get_latency(aggregator()));
  live_hint_ = live_;
  GST_LOG_OBJECT(element_, "aggregate, live %d, timeout %d", live_, timeout);
  gst_aggregator_selected_samples(aggregator(), segment_.start + clock_.Offset(),
                                  GST_CLOCK_TIME_NONE, clock_.Period(), nullptr);

  flow = AdoptIdentity();
  const GstClockTimeDiff due_until = DueUntil();
  CatchUp(due_until);
  if (flow == GST_FLOW_OK) flow = TakeSpeech();
  if (flow == GST_FLOW_OK) flow = FeedAndRender(due_until);
  const bool ended = flow == GST_FLOW_OK && gst_aggregator_pad_is_eos(sink());
  if (ended) flow = DrainSpeech();
  if (flow == GST_FLOW_FLUSHING && flushing_) return GST_AGGREGATOR_FLOW_NEED_DATA;
  if (!ended || flow != GST_FLOW_OK) return flow;
  ended_ = true;
  return GST_FLOW_EOS;
}

// Called with the base class's SRC_LOCK held. The clock waits until this plus the latency: the
// frame's own time, less what drawing it may take.
GstClockTime Generator::NextTime() {
  if (!playing_) return GST_CLOCK_TIME_NONE;
  const auto processing = static_cast<GstClockTimeDiff>(SettingsNow().processing_time);
  std::lock_guard<std::mutex> lock(stream_mutex_);
  return static_cast<GstClockTime>(std::max<GstClockTimeDiff>(NextRunningTime() - processing, 0));
}

GstClockTimeDiff Generator::RunningTime(GstClockTime pts) const {
  guint64 time = 0;
  const int sign = gst_segment_to_running_time_full(&segment_, GST_FORMAT_TIME, pts, &time);
  return sign < 0 ? -static_cast<GstClockTimeDiff>(time) : static_cast<GstClockTimeDiff>(time);
}

GstClockTimeDiff Generator::NextRunningTime() const {
  return RunningTime(segment_.start + clock_.Offset());
}

// Frames up to this running time are due now with or without speech.
GstClockTimeDiff Generator::DueUntil() {
  if (!live_ || !playing_) return G_MININT64;
  GstClock* clock = gst_element_get_clock(element());
  if (clock == nullptr) return G_MININT64;
  const GstClockTime now = gst_clock_get_time(clock);
  gst_object_unref(clock);
  const GstClockTime latency = gst_aggregator_get_latency(aggregator());
  const GstClockTime base = gst_element_get_base_time(element());
  return GST_CLOCK_DIFF(base, now) - static_cast<GstClockTimeDiff>(latency) +
         static_cast<GstClockTimeDiff>(SettingsNow().processing_time);
}

// Live video that has fallen behind, or joined late, goes on with the frame of now.
void Generator::CatchUp(GstClockTimeDiff due_until) {
  if (due_until == G_MININT64) return;
  const auto processing = static_cast<GstClockTimeDiff>(SettingsNow().processing_time);
  std::unique_lock<std::mutex> lock(stream_mutex_);
  const GstClockTimeDiff late = due_until - NextRunningTime();
  const auto period = static_cast<GstClockTimeDiff>(clock_.Period());
  if (late <= std::max(kMaxLateFrames * period, processing)) return;
  const auto ahead = static_cast<uint64_t>(static_cast<double>(late) * segment_.rate);
  const uint64_t skipped = clock_.JumpTo(clock_.Offset() + ahead);
  const bool begun = begun_;
  lock.unlock();
  GST_DEBUG_OBJECT(element_, "%" G_GINT64_FORMAT " ns late: %" G_GUINT64_FORMAT " frames left out",
                   late, skipped);
  discont_ = true;
  if (begun) CountDropped(skipped);
}

// Moves what the pad holds to the timeline.
GstFlowReturn Generator::TakeSpeech() {
  for (;;) {
    std::unique_lock<std::mutex> lock(stream_mutex_);
    GstBuffer* buffer = gst_aggregator_pad_pop_buffer(sink());
    if (buffer == nullptr) return GST_FLOW_OK;
    bool readable = true;
    if (!dropping_) {
      const AudioPlace place = PlaceBuffer(buffer);
      if (!SkipAhead(place, buffer)) readable = timeline_->Push(buffer, place);
    }
    const bool has_format = timeline_->HasFormat();
    lock.unlock();
    gst_buffer_unref(buffer);
    if (readable) continue;
    if (has_format) {
      GST_ELEMENT_ERROR(element_, STREAM, FORMAT, ("An audio buffer cannot be read."),
                        ("its size or layout does not fit the negotiated caps"));
      return GST_FLOW_ERROR;
    }
    GST_ELEMENT_ERROR(element_, CORE, NEGOTIATION, ("Audio came without saying its format."),
                      ("no caps event before the first buffer"));
    return GST_FLOW_NOT_NEGOTIATED;
  }
}

AudioPlace Generator::PlaceBuffer(GstBuffer* buffer) const {
  AudioPlace place;
  place.timed = GST_BUFFER_PTS_IS_VALID(buffer) && audio_segment_.format == GST_FORMAT_TIME;
  place.discont = GST_BUFFER_IS_DISCONT(buffer);
  if (GST_BUFFER_DURATION_IS_VALID(buffer)) place.duration_ns = GST_BUFFER_DURATION(buffer);
  place.start_ns = std::max<gint64>(audio_shift_, 0);
  if (place.timed)
    place.at_ns = GST_CLOCK_DIFF(audio_segment_.start, GST_BUFFER_PTS(buffer)) + audio_shift_;
  if (GST_CLOCK_TIME_IS_VALID(audio_segment_.stop)) {
    place.stop_ns = static_cast<uint64_t>(std::max<gint64>(
        GST_CLOCK_DIFF(audio_segment_.start, audio_segment_.stop) + audio_shift_, 0));
  }
  return place;
}

// With stream_mutex_. Where live video has gone on for long without speech, speech starts anew
// there instead of catching up through the hole; returns true if `buffer` itself is too old.
bool Generator::SkipAhead(const AudioPlace& place, GstBuffer* buffer) {
  const uint64_t next = clock_.Offset();
  if (!place.timed || next <= timeline_->PositionNs() + kMaxBacklogNs) return false;
  const int64_t oldest = static_cast<int64_t>(next - kMaxBacklogNs);
  if (place.at_ns + static_cast<int64_t>(place.duration_ns) < oldest) {
    GST_DEBUG_OBJECT(
        element_, "dropping audio at %" G_GINT64_FORMAT " ns, the video is at %" G_GUINT64_FORMAT,
        place.at_ns, next);
    return true;
  }
  const auto base =
      static_cast<uint64_t>(std::clamp(place.at_ns, oldest, static_cast<int64_t>(next)));
  GST_DEBUG_OBJECT(element_, "speech starts anew at %" G_GUINT64_FORMAT " ns", base);
  RestartSpeech(base);
  return false;
}

// With stream_mutex_.
void Generator::RestartSpeech(uint64_t at_ns) {
  speech_base_ = at_ns;
  drained_ = false;
  timeline_->Restart(at_ns);
  const uint64_t look_ahead = speech_->LookAhead();
  speech_->Reset();
  speech_->SetLookAhead(look_ahead);
}

// With stream_mutex_: speech from the next frame on is forgotten.
void Generator::ForgetSpeech() {
  if (!speech_) return;
  const uint64_t at = clock_.Offset();
  speech_->Interrupt(at - speech_base_, kInterruptFadeNs);
  timeline_->Rewind(at);
  drained_ = false;
}

// With stream_mutex_: empties the pad's queue up to the next event.
void Generator::DropQueued() {
  while (gst_aggregator_pad_drop_buffer(sink())) {
  }
}

void Generator::Interrupt() {
  std::lock_guard<std::mutex> lock(stream_mutex_);
  if (!speech_) return;
  GST_DEBUG_OBJECT(element_, "interrupted at frame %" G_GUINT64_FORMAT, clock_.Number());
  DropQueued();
  ForgetSpeech();
}

// Gives the engine what the timeline holds, in portions, and renders what each makes due.
GstFlowReturn Generator::FeedAndRender(GstClockTimeDiff due_until) {
  const uint64_t portion = OpenedEngine()->Info().sample_rate_hz / kFeedsPerSecond;
  bool more = true;
  while (more) {
    Status status;
    {
      std::lock_guard<std::mutex> lock(stream_mutex_);
      AudioBlock block;
      for (uint64_t fed = 0; status.ok() && fed < portion; fed += block.count()) {
        if (!timeline_->Take(portion - fed, &block)) break;
        status =
            speech_->Push(block.samples.empty() ? nullptr : block.samples.data(), block.count());
      }
      more = timeline_->HasOutput();
    }
    if (!status.ok()) return FailWith(status);
    const GstFlowReturn flow = RenderDue(due_until);
    if (flow != GST_FLOW_OK) return flow;
  }
  return GST_FLOW_OK;
}

// The end of the speech in hand: every frame that begins before its last sample ends.
GstFlowReturn Generator::DrainSpeech() {
  {
    std::lock_guard<std::mutex> lock(stream_mutex_);
    timeline_->Drain();
  }
  if (!negotiated_) return GST_FLOW_OK;
  GstFlowReturn flow = FeedAndRender(G_MININT64);
  if (flow != GST_FLOW_OK) return flow;
  {
    std::lock_guard<std::mutex> lock(stream_mutex_);
    speech_->Drain();
    drained_ = true;
  }
  flow = RenderDue(G_MININT64);
  GST_DEBUG_OBJECT(element_, "drained: %" G_GUINT64_FORMAT " frames", clock_.Number());
  return flow;
}

GstFlowReturn Generator::FailWith(const Status& status) {
  PostStatus(element(), status);
  return GST_FLOW_ERROR;
}

}  // namespace talkface
