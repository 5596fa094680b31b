// SPDX-License-Identifier: MIT
// What goes wrong outside the element ends in an error message or in recovery: never in a crash,
// a hang or a leak.
#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>

#include <cmath>
#include <limits>

#include "tests/check/pipeline.h"
#include "tests/check/rig.h"

using namespace talkface::test;

namespace {

std::string Portrait(const TempFolder& folder) {
  return WriteSubjectPortrait(folder.path("portrait.png"));
}

// 2 s of sound, or a fifth of that, into a talkfacegen named face.
std::string Speaking(const std::string& portrait, const std::string& properties = "") {
  return "audiotestsrc samplesperbuffer=320 num-buffers=" + std::to_string(SomeSpeechMs() / 10) +
         " ! audio/x-raw,rate=16000 ! talkfacegen name=face model=" + TestSubject().pack +
         " identity-image=" + portrait + " " + properties + " ! fakesink name=sink sync=false";
}

// The same with a fake pack of these settings in `folder`.
std::string SpeakingWith(const TempFolder& folder, const std::string& settings) {
  return Speaking(Portrait(folder), "model=" + WriteFakePack(folder.path("pack"), settings));
}

void WriteManifest(const std::string& folder, const std::string& text) {
  WriteFakePack(folder, "");
  WriteFile(folder + "/manifest.json", text);
}

// The same element works once the cause of its failure is gone.
void PlayAfterFailure(Pipeline* pipeline) {
  pipeline->SetState(GST_STATE_NULL);
  g_object_set((*pipeline)["face"], "model", TestSubject().pack, nullptr);
  pipeline->PlayToEnd();
}

}  // namespace

GST_START_TEST(engine_fails_to_open) {
  TempFolder folder;
  Pipeline pipeline(SpeakingWith(folder, R"("fail_open": true)"));
  pipeline.FailWith(GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, "fake engine failed");
  PlayAfterFailure(&pipeline);
}
GST_END_TEST

GST_START_TEST(portrait_without_a_face) {
  TempFolder folder;
  const std::string portrait = Portrait(folder);
  const bool looks = TestSubject().needs_face;
  if (looks) WritePortrait(portrait, kPortraitWidth, kPortraitHeight);
  Pipeline pipeline(looks ? Speaking(portrait) : SpeakingWith(folder, R"("fail_enrol": true)"));
  const std::string said =
      portrait + (looks ? ": The picture shows no face" : ": The fake family sees no face");
  pipeline.FailWith(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, said.c_str());
  Portrait(folder);
  PlayAfterFailure(&pipeline);
}
GST_END_TEST

GST_START_TEST(engine_fails_in_mid_stream) {
  TempFolder folder;
  for (const char* fault : {R"("fail_at_frame": 7)", R"("fail_speech_at_ms": 300)",
                            R"("fail_at_frame": 0)", R"("fail_speech_at_ms": 0)"}) {
    Pipeline pipeline(SpeakingWith(folder, fault));
    pipeline.FailWith(GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, "as its pack asked");
    PlayAfterFailure(&pipeline);
  }
}
GST_END_TEST

GST_START_TEST(a_failing_stream_harms_no_other) {
  TempFolder folder;
  const std::string slow = SlowSubject(folder, 2).Properties();
  Pipeline good(Speaking(Portrait(folder), slow));
  good.SetState(GST_STATE_PLAYING);
  Pipeline bad(Speaking(folder.path("missing.png"), slow));
  bad.FailWith(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "missing.png");
  gst_message_unref(good.WaitFor(GST_MESSAGE_EOS));
}
GST_END_TEST

GST_START_TEST(damaged_packs) {
  TempFolder folder;
  const std::string portrait = Portrait(folder), pack = folder.path("pack");
  constexpr char kHead[] = R"({"schema": 1, "name": "p", "version": "1", "licence": "MIT", )";
  constexpr char kTiming[] =
      R"("timing": {"sample_rate_hz": 16000, "hop_samples": 320, "look_behind_ms": 0,
         "look_ahead_min_ms": 0, "look_ahead_default_ms": 200, "look_ahead_max_ms": 1000})";
  const struct {
    std::string manifest;
    GQuark domain;
    int code;
    const char* words;
  } cases[] = {
      {"", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "manifest.json"},
      {"no json", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "manifest.json"},
      {"[]", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "manifest.json"},
      {"{}", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "schema"},
      {R"({"schema": 99})", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "schema"},
      {std::string(kHead) + R"("family": 3})", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
       "family"},
      {std::string(kHead) + R"("family": "fake", "timing": {"sample_rate_hz": -1}})",
       GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "sample_rate_hz"},
      {std::string(kHead) + kTiming + R"(, "family": "fake", "fake": {"delay_ms": "x"}})",
       GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "delay_ms"},
      {std::string(kHead) + kTiming + R"(, "family": "fake",
         "files": {"speech": {"file": "gone.safetensors", "sha256": "00"}}})",
       GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "gone.safetensors"},
      {std::string(kHead) + kTiming + R"(, "family": "fake",
         "files": {"speech": {"file": "../../etc/passwd", "sha256": "00"}}})",
       GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "passwd"},
      {std::string(kHead) + kTiming + R"(, "family": "of another release"})", GST_LIBRARY_ERROR,
       GST_LIBRARY_ERROR_SETTINGS, "of another release"},
  };
  for (const auto& fault : cases) {
    WriteManifest(pack, fault.manifest);
    Pipeline pipeline(Speaking(portrait, "model=" + pack));
    pipeline.FailWith(fault.domain, fault.code, fault.words);
  }
}
GST_END_TEST

GST_START_TEST(unknown_pack_and_device) {
  TempFolder folder;
  const std::string portrait = Portrait(folder);
  Pipeline missing(Speaking(portrait, "model=no-such-pack"));
  missing.FailWith(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "no-such-pack");
  Pipeline device(Speaking(portrait, "device=abacus"));
  device.FailWith(GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "abacus");
}
GST_END_TEST

GST_START_TEST(missing_engine) {
  TempFolder folder;
  const std::string engine = g_getenv("TALKFACE_ENGINE");
  g_setenv("TALKFACE_ENGINE", "/nowhere/engine.so", TRUE);
  Pipeline pipeline(Speaking(Portrait(folder)));
  pipeline.FailWith(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "/nowhere/engine.so");
  pipeline.SetState(GST_STATE_NULL);
  g_setenv("TALKFACE_ENGINE", engine.c_str(), TRUE);
  pipeline.PlayToEnd();
}
GST_END_TEST

GST_START_TEST(bad_portraits) {
  TempFolder folder;
  WriteFile(folder.path("empty.png"), "");
  WriteFile(folder.path("text.png"), "no picture");
  const std::string whole = ReadFile(Portrait(folder));
  WriteFile(folder.path("half.png"), whole.substr(0, whole.size() / 2));
  const struct {
    const char* name;
    int code;
  } cases[] = {{"empty.png", GST_RESOURCE_ERROR_READ},
               {"text.png", GST_RESOURCE_ERROR_READ},
               {"half.png", GST_RESOURCE_ERROR_READ},
               {"missing.png", GST_RESOURCE_ERROR_NOT_FOUND},
               {".", GST_RESOURCE_ERROR_OPEN_READ}};
  for (const auto& fault : cases) {
    Pipeline pipeline(Speaking(folder.path(fault.name)));
    pipeline.FailWith(GST_RESOURCE_ERROR, fault.code, folder.path(fault.name).c_str());
  }
}
GST_END_TEST

GST_START_TEST(portrait_deleted_while_playing) {
  TempFolder folder;
  const std::string portrait = Portrait(folder);
  Pipeline pipeline(Speaking(portrait));
  pipeline.ReachState(GST_STATE_PAUSED);
  fail_unless(g_unlink(portrait.c_str()) == 0);
  pipeline.PlayToEnd();  // it was read before
  pipeline.SetState(GST_STATE_NULL);
  pipeline.FailWith(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "portrait.png");
}
GST_END_TEST

GST_START_TEST(bad_new_portrait_leaves_the_old) {
  TempFolder folder;
  Pipeline pipeline(Speaking(Portrait(folder)));
  pipeline.ReachState(GST_STATE_PAUSED);
  g_object_set(pipeline["face"], "identity-image", folder.path("missing.png").c_str(), nullptr);
  GstMessage* warning = pipeline.WaitFor(GST_MESSAGE_WARNING);
  GError* error = nullptr;
  gst_message_parse_warning(warning, &error, nullptr);
  fail_unless(strstr(error->message, "missing.png") != nullptr, "%s", error->message);
  g_error_free(error);
  gst_message_unref(warning);
  pipeline.PlayToEnd();
}
GST_END_TEST

GST_START_TEST(wild_samples) {
  TempFolder folder;
  const float wild[] = {std::numeric_limits<float>::quiet_NaN(),
                        std::numeric_limits<float>::infinity(),
                        -std::numeric_limits<float>::infinity(),
                        std::numeric_limits<float>::max(),
                        std::numeric_limits<float>::denorm_min(),
                        1.0f,
                        -1.0f};
  for (const char* rate : {"16000", "44100"}) {
    Pipeline pipeline(std::string("appsrc name=source format=time max-bytes=0 caps=audio/x-raw,"
                                  "format=F32LE,channels=1,layout=interleaved,rate=") +
                      rate + " ! talkfacegen model=" + TestSubject().pack +
                      " identity-image=" + Portrait(folder) + " ! fakesink name=sink");
    pipeline.SetState(GST_STATE_PLAYING);
    for (guint i = 0; i < 100; ++i) {
      float samples[441];
      for (size_t s = 0; s < G_N_ELEMENTS(samples); ++s)
        samples[s] = wild[(s + i) % G_N_ELEMENTS(wild)];
      GstBuffer* buffer = gst_buffer_new_memdup(samples, sizeof samples);
      GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(i * 441ull, GST_SECOND, 44100);
      GstFlowReturn flow = GST_FLOW_ERROR;
      g_signal_emit_by_name(pipeline["source"], "push-buffer", buffer, &flow);
      gst_buffer_unref(buffer);
    }
    GstFlowReturn flow = GST_FLOW_ERROR;
    g_signal_emit_by_name(pipeline["source"], "end-of-stream", &flow);
    gst_message_unref(pipeline.WaitFor(GST_MESSAGE_EOS));
  }
}
GST_END_TEST

GST_START_TEST(stops_while_a_slow_engine_draws) {
  TempFolder folder;
  const std::string slow = SlowSubject(folder, 300).Properties();
  const std::string portrait = Portrait(folder);
  for (const GstState state : {GST_STATE_NULL, GST_STATE_READY}) {
    Pipeline pipeline(Speaking(portrait, slow));
    pipeline.ReachState(GST_STATE_PAUSED);
    pipeline.SetState(GST_STATE_PLAYING);
    pipeline.ReachState(state);
  }
}
GST_END_TEST

GST_START_TEST(flush_and_state_changes_at_any_point) {
  TempFolder folder;
  const std::string portrait = Portrait(folder);
  const int steps = TestSubject().quick ? 300 : 100;
  GRand* random = g_rand_new_with_seed(7);
  for (const char* element : {"talkfacegen", "talkfacegenbin"}) {
    const bool bin = g_str_equal(element, "talkfacegenbin");
    Pipeline pipeline(
        std::string(kSpeechSource) + "! " + element + " name=face model=" + TestSubject().pack +
        " identity-image=" + portrait +
        (bin ? " face.video_src ! fakesink face.audio_src ! fakesink" : " ! fakesink"));
    constexpr GstState kStates[] = {GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED,
                                    GST_STATE_PLAYING};
    for (int step = 0; step < steps; ++step) {
      switch (g_rand_int_range(random, 0, 5)) {
        case 0:
          pipeline.SetState(kStates[g_rand_int_range(random, 0, 4)]);
          break;
        case 1:
          gst_element_send_event(pipeline["source"], gst_event_new_flush_start());
          gst_element_send_event(pipeline["source"], gst_event_new_flush_stop(step % 2));
          break;
        case 2:
          g_signal_emit_by_name(pipeline["face"], "interrupt");
          break;
        default:
          if (GST_STATE(pipeline["source"]) >= GST_STATE_PAUSED)
            PushSpeech(pipeline["source"], step * GST_SECOND, 10, 320);
          break;
      }
    }
    // And it works still.
    pipeline.SetState(GST_STATE_NULL);
    pipeline.SetState(GST_STATE_PLAYING);
    PushSpeech(pipeline["source"], 0, 10, 1600);
    GstFlowReturn flow = GST_FLOW_ERROR;
    g_signal_emit_by_name(pipeline["source"], "end-of-stream", &flow);
    gst_message_unref(pipeline.WaitFor(GST_MESSAGE_EOS));
  }
  g_rand_free(random);
}
GST_END_TEST

static Suite* faults_suite() {
  PreloadEngine();
  Suite* suite = suite_create("faults");
  TCase* chain = tcase_create("all");
  suite_add_tcase(suite, chain);
  if (TestSubject().obeys_faults) {
    tcase_add_test(chain, engine_fails_to_open);
    tcase_add_test(chain, engine_fails_in_mid_stream);
    tcase_add_test(chain, damaged_packs);
  }
  tcase_add_test(chain, portrait_without_a_face);
  tcase_add_test(chain, unknown_pack_and_device);
  tcase_add_test(chain, a_failing_stream_harms_no_other);
  tcase_add_test(chain, missing_engine);
  tcase_add_test(chain, bad_portraits);
  tcase_add_test(chain, portrait_deleted_while_playing);
  tcase_add_test(chain, bad_new_portrait_leaves_the_old);
  tcase_add_test(chain, wild_samples);
  tcase_add_test(chain, stops_while_a_slow_engine_draws);
  tcase_add_test(chain, flush_and_state_changes_at_any_point);
  return suite;
}

GST_CHECK_MAIN(faults)
