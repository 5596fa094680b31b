// SPDX-License-Identifier: MIT
// Events and queries of both pads.
#include <utility>

#include "elements/talkfacegen_private.h"
#include "gst/bus_messages.h"

#define GST_CAT_DEFAULT talkfacegen_debug

namespace talkface {
namespace {

GstAggregatorClass* Parent() {
  return static_cast<GstAggregatorClass*>(g_type_class_peek(GST_TYPE_AGGREGATOR));
}

// Do both map times alike? Where they end may differ.
bool SameMapping(const GstSegment& a, const GstSegment& b) {
  return a.format == b.format && a.start == b.start && a.base == b.base && a.time == b.time &&
         a.offset == b.offset && a.rate == b.rate && a.applied_rate == b.applied_rate;
}

// What is true of the audio and not of the video made from it.
constexpr const char* kAudioTags[] = {
    GST_TAG_AUDIO_CODEC,     GST_TAG_CODEC,           GST_TAG_CONTAINER_FORMAT, GST_TAG_BITRATE,
    GST_TAG_NOMINAL_BITRATE, GST_TAG_MINIMUM_BITRATE, GST_TAG_MAXIMUM_BITRATE,  GST_TAG_ENCODER,
    GST_TAG_ENCODER_VERSION, GST_TAG_REFERENCE_LEVEL, GST_TAG_TRACK_GAIN,       GST_TAG_TRACK_PEAK,
    GST_TAG_ALBUM_GAIN,      GST_TAG_ALBUM_PEAK};

}  // namespace

// Any thread, before serialised events are queued for the streaming thread.
GstFlowReturn Generator::SinkEventPreQueue(GstAggregatorPad* pad, GstEvent* event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_STREAM_START:
      // The base class would stay at the end that it has sent.
      if (ended_) {
        RestartTask();
        gst_pad_push_event(source(), gst_event_ref(event));
      }
      break;
    case GST_EVENT_SEGMENT: {
      std::lock_guard<std::mutex> lock(stream_mutex_);
      if (std::exchange(resume_pending_, false)) resume_segment_ = event;
      break;
    }
    default:
      break;
  }
  return Parent()->sink_event_pre_queue(aggregator(), pad, event);
}

// Streaming thread, but for the flushes.
bool Generator::SinkEvent(GstAggregatorPad* pad, GstEvent* event) {
  bool drop = false;
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS: {
      const bool handled = HandleCaps(event);
      gst_event_unref(event);
      return handled;
    }
    case GST_EVENT_SEGMENT:
      if (!HandleSegment(event)) {
        gst_event_unref(event);
        return false;
      }
      break;
    case GST_EVENT_TAG:
      HandleTags(event);
      break;
    case GST_EVENT_SEGMENT_DONE:
      event_flow_ = DrainSpeech();
      break;
    case GST_EVENT_EOS:
    case GST_EVENT_GAP: {
      std::lock_guard<std::mutex> lock(stream_mutex_);
      drop = dropping_;
      break;
    }
    case GST_EVENT_FLUSH_START:
      HandleFlushStart(pad, event);
      return true;
    case GST_EVENT_FLUSH_STOP:
      return HandleFlushStop(pad, event);
    default:
      break;
  }
  if (drop) {
    gst_event_unref(event);
    return true;
  }
  return Parent()->sink_event(aggregator(), pad, event);
}

bool Generator::HandleCaps(GstEvent* event) {
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  GstAudioInfo info;
  bool usable = gst_audio_info_from_caps(&info, caps);
  guint64 delay = 0;
  if (usable) {
    std::lock_guard<std::mutex> lock(stream_mutex_);
    usable = timeline_->SetFormat(info);
    delay = timeline_->DelayNs();
  }
  if (!usable) {
    char* text = gst_caps_to_string(caps);
    GST_ELEMENT_ERROR(element_, CORE, NEGOTIATION, ("This audio format cannot be used."),
                      ("caps %s", text));
    g_free(text);
    return false;
  }
  GST_INFO_OBJECT(element_, "audio is %" GST_PTR_FORMAT, static_cast<void*>(caps));
  GST_OBJECT_LOCK(element_);
  delay_ns_ = delay;
  audio_info_ = info;
  GST_OBJECT_UNLOCK(element_);
  UpdateLatency();
  return true;
}

bool Generator::HandleSegment(GstEvent* event) {
  GstSegment segment;
  gst_event_copy_segment(event, &segment);
  if (segment.format != GST_FORMAT_TIME || segment.rate <= 0) {
    GST_ELEMENT_ERROR(
        element_, STREAM, FORMAT,
        ("The audio has no forward timeline: put a parser before talkfacegen."),
        ("segment format %s, rate %f", gst_format_get_name(segment.format), segment.rate));
    return false;
  }
  bool drain = false;
  {
    std::lock_guard<std::mutex> lock(stream_mutex_);
    if (event == std::exchange(resume_segment_, nullptr)) dropping_ = false;
    if (dropping_) return true;
    timeline_->Resync();
    if (SameMapping(segment, audio_segment_)) {
      audio_segment_ = segment;
      return true;
    }
    // Live video keeps its clock: the new audio is placed on it by running time.
    if (live_ && begun_ && segment.rate == segment_.rate) {
      const GstClockTimeDiff start = RunningTime(segment_.start);
      guint64 time = 0;
      const int sign =
          gst_segment_to_running_time_full(&segment, GST_FORMAT_TIME, segment.start, &time);
      const auto audio_start = static_cast<GstClockTimeDiff>(time) * (sign < 0 ? -1 : 1);
      audio_shift_ = static_cast<gint64>(static_cast<double>(audio_start - start) * segment.rate);
      audio_segment_ = segment;
      return true;
    }
    drain = audio_segment_.format == GST_FORMAT_TIME;
  }
  if (drain && event_flow_ == GST_FLOW_OK) event_flow_ = DrainSpeech();
  std::lock_guard<std::mutex> lock(stream_mutex_);
  AdoptSegment(segment);
  return true;
}

// With stream_mutex_: speech and video start anew, in that segment.
void Generator::AdoptSegment(const GstSegment& segment) {
  segment_ = segment;
  segment_.position = segment.start;
  audio_segment_ = segment;
  audio_shift_ = 0;
  clock_.Restart();
  RestartSpeech(0);
  begun_ = false;
  discont_ = true;
  GST_OBJECT_LOCK(element_);
  output_segment_ = segment_;
  position_ = segment_.start;
  GST_OBJECT_UNLOCK(element_);
  gst_aggregator_update_segment(aggregator(), &segment_);
}

void Generator::HandleTags(GstEvent* event) {
  GstTagList* list = nullptr;
  gst_event_parse_tag(event, &list);
  list = gst_tag_list_copy(list);
  for (const char* tag : kAudioTags) gst_tag_list_remove_tag(list, tag);
  GstTagList*& slot = upstream_tags_[gst_tag_list_get_scope(list) == GST_TAG_SCOPE_GLOBAL];
  if (slot != nullptr) {
    gst_tag_list_insert(slot, list, GST_TAG_MERGE_REPLACE);
    gst_tag_list_unref(list);
  } else {
    slot = list;
  }
  tags_pending_ = true;
}

void Generator::ForgetTags() {
  for (GstTagList*& list : upstream_tags_) g_clear_pointer(&list, gst_tag_list_unref);
  tags_pending_ = true;
}

// After the segment, before a buffer.
void Generator::SendTags() {
  if (!std::exchange(tags_pending_, false)) return;
  GstTagList* own = SyntheticMediaTags();
  const bool own_global = gst_tag_list_get_scope(own) == GST_TAG_SCOPE_GLOBAL;
  if (upstream_tags_[own_global] != nullptr)
    gst_tag_list_insert(own, upstream_tags_[own_global], GST_TAG_MERGE_APPEND);
  gst_pad_push_event(source(), gst_event_new_tag(own));
  GstTagList* other = upstream_tags_[!own_global];
  if (other != nullptr && !gst_tag_list_is_empty(other))
    gst_pad_push_event(source(), gst_event_new_tag(gst_tag_list_copy(other)));
}

GstPadProbeReturn Generator::SourceProbe(GstPadProbeInfo* info) {
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
    SendTags();
    return GST_PAD_PROBE_OK;
  }
  return hide_flush_ ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

// A flush is either part of a seek, or speech being withdrawn. Live video does not stop for the
// latter, so the base class, which would stop it, is not told.
void Generator::HandleFlushStart(GstAggregatorPad* pad, GstEvent* event) {
  if (live_hint_ && !seeking_) {
    {
      std::lock_guard<std::mutex> lock(stream_mutex_);
      GST_DEBUG_OBJECT(element_, "speech withdrawn at frame %" G_GUINT64_FORMAT, clock_.Number());
      dropping_ = true;  // until the segment after the flush has come through the queue
      resume_pending_ = false;
      resume_segment_ = nullptr;
      DropQueued();
      ForgetSpeech();
    }
    gst_event_unref(event);
    return;
  }
  BeginFlush();  // the task must end before the base class waits for it
  Parent()->sink_event(aggregator(), pad, event);
}

bool Generator::HandleFlushStop(GstAggregatorPad* pad, GstEvent* event) {
  gboolean reset_time = FALSE;
  gst_event_parse_flush_stop(event, &reset_time);
  {
    std::lock_guard<std::mutex> lock(stream_mutex_);
    if (dropping_) {
      resume_pending_ = true;
    } else {  // the task has ended
      ForgetSpeech();
      if (reset_time || seeking_) {
        audio_segment_.format = GST_FORMAT_UNDEFINED;
        begun_ = false;
      }
      discont_ = true;
      event_flow_ = GST_FLOW_OK;
      flushing_ = seeking_ = ended_ = false;
    }
  }
  GST_OBJECT_LOCK(element_);
  qos_.Reset();
  GST_OBJECT_UNLOCK(element_);
  return Parent()->sink_event(aggregator(), pad, event);
}

// Starts the base class's task again where it has stopped for good, by a flush that nobody sees.
void Generator::RestartTask() {
  GST_DEBUG_OBJECT(element_, "restarting the streaming task");
  {
    std::lock_guard<std::mutex> lock(stream_mutex_);
    audio_segment_.format = GST_FORMAT_UNDEFINED;
    begun_ = false;
  }
  GstEvent* start = gst_event_new_flush_start();
  GstEvent* stop = gst_event_new_flush_stop(FALSE);
  gst_event_set_seqnum(stop, gst_event_get_seqnum(start));
  hide_flush_ = true;
  ended_ = false;
  Parent()->sink_event(aggregator(), sink(), start);
  Parent()->sink_event(aggregator(), sink(), stop);
  hide_flush_ = false;
}

bool Generator::SourceEvent(GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEEK) return HandleSeek(event);
  if (GST_EVENT_TYPE(event) == GST_EVENT_QOS) HandleQos(event);
  return Parent()->src_event(aggregator(), event);
}

bool Generator::IsSeekable() {
  GstQuery* query = gst_query_new_seeking(GST_FORMAT_TIME);
  gboolean seekable = FALSE;
  if (gst_pad_peer_query(element_->sink, query))
    gst_query_parse_seeking(query, nullptr, &seekable, nullptr, nullptr);
  gst_query_unref(query);
  return seekable;
}

bool Generator::HandleSeek(GstEvent* event) {
  double rate = 1.0;
  GstSeekFlags flags = GST_SEEK_FLAG_NONE;
  gst_event_parse_seek(event, &rate, nullptr, &flags, nullptr, nullptr, nullptr, nullptr);
  const guint32 seqnum = gst_event_get_seqnum(event);
  const bool repeated = last_seek_.exchange(seqnum) == seqnum;
  // The base class stops for a seek that fails later, so what must fail does so here.
  if (repeated || rate <= 0 || !IsSeekable()) {
    GST_DEBUG_OBJECT(element_, "seek %s", repeated ? "seen before" : "refused");
    gst_event_unref(event);
    return repeated;
  }
  const bool flush = (flags & GST_SEEK_FLAG_FLUSH) != 0;
  if (flush) {
    seeking_ = true;
    BeginFlush();
  }
  const bool sought = Parent()->src_event(aggregator(), event);
  if (!sought && flush) {
    seeking_ = flushing_ = false;
    RestartTask();
  }
  return sought;
}

void Generator::HandleQos(GstEvent* event) {
  GstQOSType type = GST_QOS_TYPE_UNDERFLOW;
  QosReport report{};
  gst_event_parse_qos(event, &type, &report.proportion, &report.jitter, &report.timestamp);
  const bool live = live_hint_;
  GST_OBJECT_LOCK(element_);
  qos_.Update(report, live, frame_ns_);
  GST_OBJECT_UNLOCK(element_);
}

bool Generator::SourceQuery(GstQuery* query) {
  switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_POSITION:
      return HandlePosition(query);
    case GST_QUERY_DURATION:
      return HandleDuration(query);
    case GST_QUERY_SEEKING:
      return gst_pad_peer_query(element_->sink, query);
    case GST_QUERY_LATENCY:
      return HandleLatency(query);
    default:
      return Parent()->src_query(aggregator(), query);
  }
}

// Stream time of the end of the last frame.
bool Generator::HandlePosition(GstQuery* query) {
  GstFormat format = GST_FORMAT_UNDEFINED;
  gst_query_parse_position(query, &format, nullptr);
  if (format != GST_FORMAT_TIME) return false;
  GST_OBJECT_LOCK(element_);
  const GstClockTime position = position_;
  const GstSegment segment = output_segment_;
  GST_OBJECT_UNLOCK(element_);
  if (!GST_CLOCK_TIME_IS_VALID(position)) return false;
  guint64 time = 0;
  if (gst_segment_to_stream_time_full(&segment, GST_FORMAT_TIME, position, &time) < 0) return false;
  gst_query_set_position(query, format, static_cast<gint64>(time));
  return true;
}

// Upstream's, which raw audio may know in bytes or samples only.
bool Generator::HandleDuration(GstQuery* query) {
  GstFormat format = GST_FORMAT_UNDEFINED;
  gst_query_parse_duration(query, &format, nullptr);
  if (format != GST_FORMAT_TIME) return false;
  gint64 duration = -1;
  if (gst_pad_peer_query_duration(element_->sink, GST_FORMAT_TIME, &duration)) {
    gst_query_set_duration(query, format, duration);
    return true;
  }
  GST_OBJECT_LOCK(element_);
  const GstAudioInfo info = audio_info_;
  GST_OBJECT_UNLOCK(element_);
  for (const GstFormat other : {GST_FORMAT_DEFAULT, GST_FORMAT_BYTES}) {
    gint64 amount = -1;
    if (info.rate > 0 && gst_pad_peer_query_duration(element_->sink, other, &amount) &&
        gst_audio_info_convert(&info, other, amount, GST_FORMAT_TIME, &duration)) {
      gst_query_set_duration(query, format, duration);
      return true;
    }
  }
  return false;
}

// The base class answers "not live" even where force-live makes us so.
bool Generator::HandleLatency(GstQuery* query) {
  if (!Parent()->src_query(aggregator(), query)) return false;
  gboolean live = FALSE;
  GstClockTime min = 0, max = 0;
  gst_query_parse_latency(query, &live, &min, &max);
  gst_query_set_latency(query, live || gst_aggregator_get_force_live(aggregator()), min, max);
  return true;
}

}  // namespace talkface
