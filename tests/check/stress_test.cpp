// SPDX-License-Identifier: MIT
// Threads that change states, properties and flush while speech flows.
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#include <atomic>
#include <thread>

#include "tests/check/pipeline.h"
#include "tests/check/rig.h"

using namespace talkface::test;

namespace {

constexpr gulong kSpan = G_USEC_PER_SEC / 2;
constexpr char kCaps[] = "audio/x-raw,format=S16LE,rate=16000,channels=1,layout=interleaved";

// A talkfacegen that is fed by a thread of its own, whose frames are thrown away.
struct Stressed {
  Stressed() : portrait(WriteSubjectPortrait(folder.path("portrait.png"))) {
    GstElement* element = gst_element_factory_make("talkfacegen", nullptr);
    fail_unless(element != nullptr, "no element talkfacegen");
    g_object_set(element, "model", TestSubject().pack, "identity-image", portrait.c_str(), nullptr);
    harness = gst_harness_new_with_element(element, "sink", "src");
    gst_object_unref(element);
    gst_harness_set_drop_buffers(harness, TRUE);
    gst_harness_set_src_caps_str(harness, kCaps);
  }
  ~Stressed() { gst_harness_teardown(harness); }

  GstHarnessThread* Feed() {
    GstCaps* caps = gst_caps_from_string(kCaps);
    GstBuffer* speech = gst_buffer_new_allocate(nullptr, 640, nullptr);
    gst_buffer_memset(speech, 0, 1, 640);
    GST_BUFFER_PTS(speech) = 0;
    GST_BUFFER_DURATION(speech) = 20 * GST_MSECOND;
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    GstHarnessThread* thread =
        gst_harness_stress_push_buffer_start_full(harness, caps, &segment, speech, 100);
    gst_buffer_unref(speech);
    gst_caps_unref(caps);
    return thread;
  }

  GstHarnessThread* Turn(const char* property, const GValue* value) {
    return gst_harness_stress_property_start_full(harness, property, value, 200);
  }

  TempFolder folder;
  const std::string portrait;
  GstHarness* harness;
};

GValue Text(const std::string& text) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, G_TYPE_STRING);
  g_value_set_string(&value, text.c_str());
  return value;
}

}  // namespace

GST_START_TEST(state_changes_while_speech_flows) {
  Stressed stressed;
  GstHarnessThread* feed = stressed.Feed();
  GstHarnessThread* states = gst_harness_stress_statechange_start_full(stressed.harness, 2000);
  g_usleep(kSpan);
  fail_unless(gst_harness_stress_thread_stop(states) > 0);
  fail_unless(gst_harness_stress_thread_stop(feed) > 0);
}
GST_END_TEST

GST_START_TEST(property_changes_while_speech_flows) {
  Stressed stressed;
  const std::string other = WriteSubjectPortrait(stressed.folder.path("other.png"), 1);
  GValue look_ahead = G_VALUE_INIT, gain = G_VALUE_INIT, motion = G_VALUE_INIT;
  g_value_init(&look_ahead, G_TYPE_UINT64);
  g_value_set_uint64(&look_ahead, 300 * GST_MSECOND);
  g_value_init(&gain, G_TYPE_DOUBLE);
  g_value_set_double(&gain, 0.5);
  g_value_init(&motion, G_TYPE_BOOLEAN);
  GValue portrait = Text(other), missing = Text("/nowhere/portrait.png");
  GstHarnessThread* threads[] = {
      stressed.Feed(),
      stressed.Turn("look-ahead", &look_ahead),
      stressed.Turn("expression-gain", &gain),
      stressed.Turn("idle-motion", &motion),
      stressed.Turn("identity-image", &portrait),
      stressed.Turn("identity-image", &missing),
  };
  g_usleep(kSpan);
  for (GstHarnessThread* thread : threads) fail_unless(gst_harness_stress_thread_stop(thread) > 0);
  g_value_unset(&portrait);
  g_value_unset(&missing);
}
GST_END_TEST

GST_START_TEST(seeks_and_interruptions_while_speech_flows) {
  Stressed stressed;
  GstHarnessThread* feed = stressed.Feed();
  GstEvent* seek =
      gst_event_new_seek(1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_NONE, GST_SEEK_TYPE_SET, 0,
                         GST_SEEK_TYPE_NONE, static_cast<gint64>(GST_CLOCK_TIME_NONE));
  GstHarnessThread* seeks =
      gst_harness_stress_push_upstream_event_start_full(stressed.harness, seek, 500);
  gst_event_unref(seek);
  for (int i = 0; i < 200; ++i) {
    g_signal_emit_by_name(stressed.harness->element, "interrupt");
    GstStructure* stats = nullptr;
    g_object_get(stressed.harness->element, "stats", &stats, nullptr);
    gst_structure_free(stats);
    g_usleep(500);
  }
  fail_unless(gst_harness_stress_thread_stop(seeks) > 0);
  fail_unless(gst_harness_stress_thread_stop(feed) > 0);
}
GST_END_TEST

GST_START_TEST(flushes_while_speech_flows) {
  // A sink with async=true prerolls after each flush, and GStreamer 1.22's bins may forget under a
  // storm of flushes to set it playing again.
  TempFolder folder;
  const std::string portrait = WriteSubjectPortrait(folder.path("portrait.png"));
  Pipeline pipeline(kSpeechSource + ("! talkfacegen name=face identity-image=" + portrait) +
                    " model=" + TestSubject().pack + " ! fakesink sync=false async=false");
  GstElement* source = pipeline["source"];
  // A model that takes its time must not be left with minutes of speech, nor with as long a hole.
  g_object_set(source, "block", TRUE, "max-bytes", guint64{32000}, nullptr);
  pipeline.SetState(GST_STATE_PLAYING);
  std::atomic<bool> stop{false};
  std::thread feed([&] {
    for (guint second = 0; !stop; second = (second + 1) % 3)
      PushSpeech(source, second * GST_SECOND, 50, 320);
  });
  const int flushes = TestSubject().quick ? 300 : 30;
  for (int i = 0; i < flushes; ++i) {
    gst_element_send_event(source, gst_event_new_flush_start());
    gst_element_send_event(source, gst_event_new_flush_stop(i % 2));
    if (i % 10 == 0) g_signal_emit_by_name(pipeline["face"], "interrupt");
    g_usleep(500);
  }
  stop = true;
  feed.join();
  GstFlowReturn flow = GST_FLOW_ERROR;
  g_signal_emit_by_name(source, "end-of-stream", &flow);
  gst_message_unref(pipeline.WaitFor(GST_MESSAGE_EOS));
}
GST_END_TEST

static Suite* stress_suite() {
  PreloadEngine();
  Suite* suite = suite_create("stress");
  TCase* chain = tcase_create("all");
  suite_add_tcase(suite, chain);
  tcase_add_test(chain, state_changes_while_speech_flows);
  tcase_add_test(chain, property_changes_while_speech_flows);
  tcase_add_test(chain, seeks_and_interruptions_while_speech_flows);
  tcase_add_test(chain, flushes_while_speech_flows);
  return suite;
}

GST_CHECK_MAIN(stress)
