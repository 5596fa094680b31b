// SPDX-License-Identifier: MIT
// elements/talkfacegenbin.h.
#include <gst/check/gstcheck.h>

#include <atomic>

#include "tests/check/pipeline.h"
#include "tests/check/rig.h"

using namespace talkface::test;

namespace {

// A bin named t with a portrait in `folder`.
std::string Bin(const TempFolder& folder, const std::string& properties = "") {
  const std::string portrait = WriteSubjectPortrait(folder.path("portrait.png"));
  return std::string("talkfacegenbin name=t model=") + TestSubject().pack +
         " identity-image=" + portrait + " " + properties + " ";
}

std::string Outputs(const std::string& sink_properties) {
  return "t.video_src ! fakesink name=video " + sink_properties +
         " t.audio_src ! fakesink name=audio " + sink_properties;
}

guint64 SpeechQueueSize(const Pipeline& pipeline) {
  guint64 size = 0;
  g_object_get(pipeline["speech-queue"], "max-size-time", &size, nullptr);
  return size;
}

guint64 Latency(const Pipeline& pipeline) {
  guint64 latency = 0;
  g_object_get(pipeline["t"], "latency", &latency, nullptr);
  return latency;
}

// Waits until the speech queue holds exactly `buffers`.
void WaitForQueued(const Pipeline& pipeline, guint buffers) {
  guint queued = 0;
  for (int tries = 0; tries < 1000 * static_cast<int>(kPatienceS) && queued != buffers; ++tries) {
    g_object_get(pipeline["speech-queue"], "current-level-buffers", &queued, nullptr);
    if (queued != buffers) g_usleep(1000);
  }
  fail_unless_equals_int(queued, buffers);
}

// Of 1 s of speech the paused sink holds the first 100 ms, and the queue the rest.
void QueueOneSecond(Pipeline* pipeline, Recorder* audio) {
  pipeline->SetState(GST_STATE_PAUSED);
  PushSpeech((*pipeline)["source"], 0, 10, 1600);
  audio->WaitForCount(1);
  WaitForQueued(*pipeline, 9);
}

void EndSpeech(const Pipeline& pipeline) {
  GstFlowReturn flow = GST_FLOW_ERROR;
  g_signal_emit_by_name(pipeline["source"], "end-of-stream", &flow);
  fail_unless_equals_int(flow, GST_FLOW_OK);
}

}  // namespace

GST_START_TEST(has_the_generators_properties) {
  GstElement* bin = gst_element_factory_make("talkfacegenbin", nullptr);
  fail_unless(bin != nullptr, "no element talkfacegenbin");
  GstElement* generator = gst_bin_get_by_name(GST_BIN(bin), "generator");
  guint count = 0, own = 0;
  GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(generator), &count);
  for (guint i = 0; i < count; ++i) {
    if (specs[i]->owner_type != G_OBJECT_TYPE(generator)) continue;
    ++own;
    GParamSpec* copy = g_object_class_find_property(G_OBJECT_GET_CLASS(bin), specs[i]->name);
    fail_unless(copy != nullptr, "no property %s", specs[i]->name);
    fail_unless(copy->value_type == specs[i]->value_type);
    fail_unless_equals_string(g_param_spec_get_blurb(copy), g_param_spec_get_blurb(specs[i]));
    fail_unless(g_param_values_cmp(copy, g_param_spec_get_default_value(copy),
                                   g_param_spec_get_default_value(specs[i])) == 0 ||
                    copy->value_type == GST_TYPE_STRUCTURE,
                "other default of %s", copy->name);
  }
  fail_unless(own >= 16, "%u properties", own);
  g_free(specs);
  gst_object_unref(generator);
  gst_object_unref(bin);
}
GST_END_TEST

GST_START_TEST(passes_properties_on) {
  GstElement* bin = gst_element_factory_make_full("talkfacegenbin", "force-live", TRUE,
                                                  "expression-gain", 1.5, nullptr);
  fail_unless(bin != nullptr);
  GstElement* generator = gst_bin_get_by_name(GST_BIN(bin), "generator");
  gboolean live = FALSE, label = FALSE;
  gdouble gain = 0;
  char* model = nullptr;
  g_object_set(bin, "model", "some", "label", TRUE, nullptr);
  g_object_get(generator, "force-live", &live, "expression-gain", &gain, "model", &model, "label",
               &label, nullptr);
  fail_unless(live && label && gain == 1.5);
  fail_unless_equals_string(model, "some");
  g_free(model);
  g_object_set(generator, "model", "other", nullptr);
  g_object_get(bin, "model", &model, nullptr);
  fail_unless_equals_string(model, "other");
  g_free(model);
  GstStructure* stats = nullptr;
  g_object_get(bin, "stats", &stats, nullptr);
  fail_unless(stats != nullptr);
  gst_structure_free(stats);
  gst_object_unref(generator);
  gst_object_unref(bin);
}
GST_END_TEST

GST_START_TEST(gives_both_streams_aligned) {
  TempFolder folder;
  // 50 buffers of 441 samples at 22050 Hz: 1 s, 25 frames.
  Pipeline pipeline(
      "audiotestsrc num-buffers=50 samplesperbuffer=441 ! audio/x-raw,rate=22050,channels=2 ! " +
      Bin(folder) + Outputs("sync=false"));
  Recorder video(pipeline, "video"), audio(pipeline, "audio");
  pipeline.PlayToEnd();
  const std::vector<Arrival> frames = video.Arrivals(), speech = audio.Arrivals();
  fail_unless_equals_int(frames.size(), 25);
  fail_unless_equals_int(speech.size(), 50);
  for (size_t i = 0; i < frames.size(); ++i)
    fail_unless_equals_uint64(frames[i].pts, i * 40 * GST_MSECOND);
  for (size_t i = 0; i < speech.size(); ++i) {
    fail_unless_equals_uint64(speech[i].pts, i * 20 * GST_MSECOND);
    fail_unless(speech[i].size == speech[0].size && !speech[i].gap);
  }
}
GST_END_TEST

GST_START_TEST(plays_twice) {
  TempFolder folder;
  Pipeline pipeline(
      "audiotestsrc num-buffers=10 samplesperbuffer=1600 ! audio/x-raw,rate=16000 ! " +
      Bin(folder) + Outputs("sync=false"));
  for (int round = 0; round < 2; ++round) {
    Recorder video(pipeline, "video"), audio(pipeline, "audio");
    pipeline.PlayToEnd();
    fail_unless_equals_int(video.Arrivals().size(), 25);
    fail_unless_equals_int(audio.Arrivals().size(), 10);
    pipeline.ReachState(round == 0 ? GST_STATE_READY : GST_STATE_NULL);
  }
}
GST_END_TEST

GST_START_TEST(prerolls_with_long_look_ahead) {
  TempFolder folder;
  const std::string longest = "look-ahead=" + std::to_string(TestSubject().look_ahead_max);
  for (const char* samples : {"160", "1024", "80000"}) {
    Pipeline pipeline(std::string("audiotestsrc num-buffers=2000 samplesperbuffer=") + samples +
                      " ! audio/x-raw,rate=16000 ! " + Bin(folder, longest) + Outputs("sync=true"));
    pipeline.ReachState(GST_STATE_PAUSED);
  }
}
GST_END_TEST

GST_START_TEST(waits_for_encoders_that_look_ahead) {
  TempFolder folder;
  // Gives its first frame when 20 (4 s) have come, as x264enc may, while the audio sink waits.
  Pipeline pipeline(
      "audiotestsrc num-buffers=600 samplesperbuffer=160 ! audio/x-raw,rate=16000 ! " +
      Bin(folder) +
      "t.video_src ! video/x-raw,framerate=5/1 ! "
      "queue min-threshold-buffers=20 max-size-time=0 max-size-bytes=0 ! "
      "fakesink name=video sync=true t.audio_src ! fakesink name=audio sync=true");
  pipeline.ReachState(GST_STATE_PAUSED);
}
GST_END_TEST

GST_START_TEST(queue_follows_latency) {
  TempFolder folder;
  const Subject& subject = TestSubject();
  Pipeline pipeline("audiotestsrc is-live=true ! audio/x-raw,rate=16000 ! " + Bin(folder) +
                    Outputs("sync=true"));
  static std::atomic<int> notified;
  notified = 0;
  g_signal_connect(pipeline["t"], "notify::latency", G_CALLBACK(+[] { ++notified; }), nullptr);
  pipeline.ReachState(GST_STATE_PLAYING);
  const guint64 before = Latency(pipeline);
  fail_unless(before >= subject.look_ahead + 80 * GST_MSECOND, "%" G_GUINT64_FORMAT, before);
  fail_unless_equals_uint64(SpeechQueueSize(pipeline), before + 10 * GST_SECOND);
  fail_unless(notified > 0);
  notified = 0;
  g_object_set(pipeline["t"], "look-ahead", subject.look_ahead_max, nullptr);
  const guint64 after = before + subject.look_ahead_max - subject.look_ahead;
  fail_unless_equals_uint64(Latency(pipeline), after);
  fail_unless_equals_uint64(SpeechQueueSize(pipeline), after + 10 * GST_SECOND);
  fail_unless(notified > 0);
}
GST_END_TEST

GST_START_TEST(discards_speech_that_nobody_takes) {
  TempFolder folder;
  for (const char* count : {"3", "1500"}) {
    Pipeline pipeline(std::string("audiotestsrc num-buffers=") + count +
                      " samplesperbuffer=160 ! audio/x-raw,rate=16000 ! " + Bin(folder) +
                      "t.video_src ! video/x-raw,framerate=5/1 ! fakesink name=video sync=false");
    pipeline.PlayToEnd();
  }
}
GST_END_TEST

GST_START_TEST(interrupt_drops_queued_speech) {
  TempFolder folder;
  Pipeline pipeline(kSpeechSource + ("! " + Bin(folder)) + Outputs("sync=false"));
  Recorder audio(pipeline, "audio");
  QueueOneSecond(&pipeline, &audio);
  g_signal_emit_by_name(pipeline["t"], "interrupt");
  PushSpeech(pipeline["source"], 1 * GST_SECOND, 10, 1600);
  EndSpeech(pipeline);
  pipeline.PlayToEnd();
  const std::vector<Arrival> speech = audio.Arrivals();
  fail_unless_equals_int(speech.size(), 11);
  fail_unless_equals_uint64(speech[0].pts, 0);
  for (size_t i = 1; i < speech.size(); ++i)
    fail_unless_equals_uint64(speech[i].pts, (9 + i) * 100 * GST_MSECOND);
}
GST_END_TEST

GST_START_TEST(flush_drops_queued_speech) {
  TempFolder folder;
  Pipeline pipeline(kSpeechSource + ("! " + Bin(folder)) + Outputs("sync=false"));
  Recorder audio(pipeline, "audio");
  QueueOneSecond(&pipeline, &audio);
  gst_element_send_event(pipeline["source"], gst_event_new_flush_start());
  gst_element_send_event(pipeline["source"], gst_event_new_flush_stop(FALSE));
  PushSpeech(pipeline["source"], 3 * GST_SECOND, 10, 1600);
  // The count of what an interruption drops starts anew after a flush.
  g_signal_emit_by_name(pipeline["t"], "interrupt");
  PushSpeech(pipeline["source"], 4 * GST_SECOND, 10, 1600);
  EndSpeech(pipeline);
  pipeline.PlayToEnd();
  const std::vector<Arrival> speech = audio.Arrivals();
  fail_unless(speech.size() >= 11 && speech.size() <= 21, "%zu buffers", speech.size());
  for (size_t i = 1; i < speech.size(); ++i) fail_unless(speech[i].pts >= 3 * GST_SECOND);
  fail_unless_equals_uint64(speech.back().pts, 4900 * GST_MSECOND);
}
GST_END_TEST

GST_START_TEST(interrupt_at_any_time_is_safe) {
  TempFolder folder;
  Pipeline pipeline(kSpeechSource + ("! " + Bin(folder)) + Outputs("sync=false"));
  g_signal_emit_by_name(pipeline["t"], "interrupt");
  pipeline.SetState(GST_STATE_PLAYING);
  for (guint i = 0; i < 200; ++i) {
    PushSpeech(pipeline["source"], i * 20 * GST_MSECOND, 1, 320);
    if (i % 3 == 0) g_signal_emit_by_name(pipeline["t"], "interrupt");
  }
  EndSpeech(pipeline);
  gst_message_unref(pipeline.WaitFor(GST_MESSAGE_EOS));
  g_signal_emit_by_name(pipeline["t"], "interrupt");
}
GST_END_TEST

static Suite* talkfacegenbin_suite() {
  PreloadEngine();
  Suite* suite = suite_create("talkfacegenbin");
  TCase* chain = tcase_create("all");
  suite_add_tcase(suite, chain);
  tcase_add_test(chain, has_the_generators_properties);
  tcase_add_test(chain, passes_properties_on);
  tcase_add_test(chain, gives_both_streams_aligned);
  tcase_add_test(chain, plays_twice);
  tcase_add_test(chain, prerolls_with_long_look_ahead);
  tcase_add_test(chain, waits_for_encoders_that_look_ahead);
  tcase_add_test(chain, queue_follows_latency);
  tcase_add_test(chain, discards_speech_that_nobody_takes);
  tcase_add_test(chain, interrupt_drops_queued_speech);
  tcase_add_test(chain, flush_drops_queued_speech);
  tcase_add_test(chain, interrupt_at_any_time_is_safe);
  return suite;
}

GST_CHECK_MAIN(talkfacegenbin)
