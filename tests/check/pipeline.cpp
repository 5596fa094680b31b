// SPDX-License-Identifier: MIT
#include "tests/check/pipeline.h"

#include <gst/check/gstcheck.h>

#include "tests/check/support.h"

namespace talkface::test {

constexpr GstClockTime kPatience = kPatienceS * GST_SECOND;

const char kSpeechSource[] =
    "appsrc name=source format=time max-bytes=0 "
    "caps=audio/x-raw,format=S16LE,rate=16000,channels=1,layout=interleaved ";

Pipeline::Pipeline(const std::string& description) {
  GError* error = nullptr;
  pipeline_ = gst_parse_launch(description.c_str(), &error);
  fail_unless(pipeline_ != nullptr && error == nullptr, "%s: %s", description.c_str(),
              error != nullptr ? error->message : "");
  if (!GST_IS_PIPELINE(pipeline_)) {  // a single element comes without one
    GstElement* whole = gst_pipeline_new(nullptr);
    gst_bin_add(GST_BIN(whole), pipeline_);
    pipeline_ = whole;
  }
  bus_ = gst_element_get_bus(pipeline_);
}

Pipeline::~Pipeline() {
  fail_unless_equals_int(gst_element_set_state(pipeline_, GST_STATE_NULL),
                         GST_STATE_CHANGE_SUCCESS);
  gst_object_unref(bus_);
  gst_object_unref(pipeline_);
}

GstElement* Pipeline::operator[](const char* name) const {
  GstElement* child = gst_bin_get_by_name(GST_BIN(pipeline_), name);
  fail_unless(child != nullptr, "no element %s", name);
  gst_object_unref(child);
  return child;
}

void Pipeline::SetState(GstState state) {
  fail_unless(gst_element_set_state(pipeline_, state) != GST_STATE_CHANGE_FAILURE,
              "no change to %s", gst_element_state_get_name(state));
}

void Pipeline::ReachState(GstState state) {
  SetState(state);
  GstState reached = GST_STATE_VOID_PENDING;
  const GstStateChangeReturn result =
      gst_element_get_state(pipeline_, &reached, nullptr, kPatience);
  fail_unless(result == GST_STATE_CHANGE_SUCCESS || result == GST_STATE_CHANGE_NO_PREROLL,
              "%s not reached: %s", gst_element_state_get_name(state),
              gst_element_state_change_return_get_name(result));
  fail_unless_equals_int(reached, state);
}

GstMessage* Pipeline::WaitFor(int types) {
  GstMessage* message = gst_bus_timed_pop_filtered(
      bus_, kPatience, static_cast<GstMessageType>(types | GST_MESSAGE_ERROR));
  fail_unless(message != nullptr, "no message came");
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR && (types & GST_MESSAGE_ERROR) == 0) {
    GError* error = nullptr;
    char* debug = nullptr;
    gst_message_parse_error(message, &error, &debug);
    fail("%s (%s)", error->message, debug);
  }
  return message;
}

void Pipeline::PlayToEnd() {
  SetState(GST_STATE_PLAYING);
  gst_message_unref(WaitFor(GST_MESSAGE_EOS));
}

void Pipeline::FailWith(GQuark domain, int code, const char* words) {
  gst_element_set_state(pipeline_, GST_STATE_PLAYING);  // may fail at once
  GstMessage* message = WaitFor(GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless(GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR, "no error before the end");
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  fail_unless(g_error_matches(error, domain, code), "%s %d, wanted %s %d: %s",
              g_quark_to_string(error->domain), error->code, g_quark_to_string(domain), code,
              error->message);
  fail_unless(strstr(error->message, words) != nullptr, "no '%s' in: %s", words, error->message);
  g_error_free(error);
  gst_message_unref(message);
}

Recorder::Recorder(const Pipeline& pipeline, const char* name)
    : pad_(gst_element_get_static_pad(pipeline[name], "sink")) {
  g_mutex_init(&mutex_);
  g_cond_init(&changed_);
  probe_ = gst_pad_add_probe(pad_, GST_PAD_PROBE_TYPE_BUFFER, OnBuffer, this, nullptr);
}

Recorder::~Recorder() {
  gst_pad_remove_probe(pad_, probe_);
  gst_object_unref(pad_);
  g_cond_clear(&changed_);
  g_mutex_clear(&mutex_);
}

GstPadProbeReturn Recorder::OnBuffer(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<Recorder*>(data);
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  g_mutex_lock(&self->mutex_);
  self->arrivals_.push_back({GST_BUFFER_PTS(buffer), GST_BUFFER_DURATION(buffer),
                             gst_buffer_get_size(buffer),
                             GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP) != FALSE});
  g_cond_broadcast(&self->changed_);
  g_mutex_unlock(&self->mutex_);
  return GST_PAD_PROBE_OK;
}

std::vector<Arrival> Recorder::Arrivals() {
  g_mutex_lock(&mutex_);
  std::vector<Arrival> copy = arrivals_;
  g_mutex_unlock(&mutex_);
  return copy;
}

void Recorder::WaitForCount(size_t count) {
  const gint64 until =
      g_get_monotonic_time() + static_cast<gint64>(GST_TIME_AS_USECONDS(kPatience));
  g_mutex_lock(&mutex_);
  while (arrivals_.size() < count && g_cond_wait_until(&changed_, &mutex_, until)) continue;
  const size_t seen = arrivals_.size();
  g_mutex_unlock(&mutex_);
  fail_unless(seen >= count, "%zu buffers came, wanted %zu", seen, count);
}

void PushSpeech(GstElement* appsrc, GstClockTime start, guint buffers, guint samples) {
  for (guint i = 0; i < buffers; ++i) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, gsize{2} * samples, nullptr);
    gst_buffer_memset(buffer, 0, static_cast<guint8>(i), gsize{2} * samples);
    GST_BUFFER_PTS(buffer) = start + gst_util_uint64_scale(guint64{i} * samples, GST_SECOND, 16000);
    GST_BUFFER_DURATION(buffer) = gst_util_uint64_scale(samples, GST_SECOND, 16000);
    GstFlowReturn flow = GST_FLOW_ERROR;
    g_signal_emit_by_name(appsrc, "push-buffer", buffer, &flow);
    gst_buffer_unref(buffer);
    // FLUSHING: a flush by another thread threw it away.
    fail_unless(flow == GST_FLOW_OK || flow == GST_FLOW_FLUSHING, "%s", gst_flow_get_name(flow));
  }
}

}  // namespace talkface::test
