// SPDX-License-Identifier: MIT
// talkfacegen with the paper's model: small packs of random weights, and a drawn portrait. The
// packs fuse 10 frames and look 500 ms ahead, a whole window.
#include <gst/check/gstcheck.h>

#include "tests/check/rig.h"
#include "tests/units/support/drawn_face.h"

using namespace talkface::test;

namespace {

constexpr const char* kVideo = "video/x-raw,format=I420,width=120,height=140,framerate=25/1";
constexpr uint64_t kSecond = 16000;  // samples

// A drawn face that the detector finds; PNG.
const std::string& FacePortrait() {
  static TempFolder folder;
  const talkface::testing::DrawnFace face{480, 560, 240, 350, 260};
  static const std::string path = WritePng(folder.path("face.png"), face.Draw(), 480, 560);
  return path;
}

struct Settings {
  const char* pack = "mftfg-small";
  const char* video = kVideo;
  bool live = false;
  guint steps = 0;
  guint64 seed = 0;
  guint64 look_ahead = GST_CLOCK_TIME_NONE;
};

RigOptions Options(const Settings& settings = Settings()) {
  RigOptions options;
  options.live = settings.live;
  options.video = settings.video;
  options.prepare = [settings](GstElement* element) {
    g_object_set(element, "model", settings.pack, "identity-image", FacePortrait().c_str(),
                 "sampler-steps", settings.steps, "seed", settings.seed, nullptr);
    if (settings.look_ahead != GST_CLOCK_TIME_NONE)
      g_object_set(element, "look-ahead", settings.look_ahead, nullptr);
  };
  return options;
}

std::vector<Picture> Play(const Settings& settings, uint64_t samples, uint64_t step) {
  Rig rig(Options(settings));
  rig.PushCut(0, samples, step);
  return rig.Finish();
}

std::string TextOf(GstMessage* message) {
  GError* error = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error(message, &error, nullptr);
  } else {
    gst_message_parse_warning(message, &error, nullptr);
  }
  const std::string text = error->message;
  g_error_free(error);
  gst_message_unref(message);
  return text;
}

void ExpectWords(const std::string& text, const char* words) {
  fail_unless(text.find(words) != std::string::npos, "no '%s' in: %s", words, text.c_str());
}

}  // namespace

// ceil(D x rate) frames at their exact times, the same for every cut of the audio.
GST_START_TEST(frames_are_exact_for_every_cut) {
  constexpr uint64_t kSamples = 6401;
  for (const char* video :
       {kVideo, "video/x-raw,format=RGBA,width=120,height=140,framerate=30000/1001"}) {
    Settings settings;
    settings.video = video;
    const bool ntsc = video != kVideo;
    std::vector<std::string> reference;
    for (uint64_t step : {441, 16000}) {
      const std::vector<Picture> frames = Play(settings, kSamples, step);
      fail_unless_equals_uint64(frames.size(), ntsc ? 12 : 11);
      ExpectTimes(frames, ntsc ? 30000 : 25, ntsc ? 1001 : 1);
      for (const Picture& frame : frames) fail_unless(!frame.idle);
      if (reference.empty()) reference = Checksums(frames);
      fail_unless(reference == Checksums(frames), "another cut, other pictures");
    }
    fail_unless(reference[3] != reference[9], "the speech is not seen");
  }
}
GST_END_TEST

GST_START_TEST(steps_and_seed_change_the_pictures) {
  const auto frames = [](guint steps, guint64 seed) {
    Settings settings;
    settings.steps = steps;
    settings.seed = seed;
    return Checksums(Play(settings, 3200, 3200));
  };
  const std::vector<std::string> pack = frames(0, 0);
  fail_unless(frames(2, 0) == pack, "the pack's own number of steps");
  fail_unless(frames(5, 0) != pack);
  fail_unless(frames(0, 9) != pack);
}
GST_END_TEST

GST_START_TEST(steps_beyond_the_sampler_are_an_error) {
  Settings settings;
  settings.steps = 51;
  Rig rig(Options(settings));
  gst_harness_push(rig.harness, Rig::Audio(0, kSecond));
  ExpectWords(TextOf(rig.Await(GST_MESSAGE_ERROR)), "'sampler-steps' is '51'");
}
GST_END_TEST

GST_START_TEST(flush_starts_anew) {
  Rig rig(Options());
  rig.PushCut(0, kSecond, 1024);
  rig.Pull(3);
  rig.Event(gst_event_new_flush_start());
  rig.Event(gst_event_new_flush_stop(TRUE));
  while (!rig.Quiet()) rig.Pull();
  rig.PushSegment(0);
  rig.PushCut(0, 9600, 1024);
  const std::vector<Picture> again = rig.Finish();
  ExpectTimes(again, 25, 1);
  fail_unless(Checksums(again) == Checksums(Play(Settings(), 9600, 1024)));
}
GST_END_TEST

GST_START_TEST(latency_is_what_is_waited_for) {
  Settings settings;
  settings.live = true;
  Rig rig(Options(settings));
  bool live = false;
  GstClockTime max = 0;
  rig.Push(0, 320);
  fail_unless_equals_uint64(rig.Latency(&live, &max), (500 + 40 + 40) * GST_MSECOND);
  g_object_set(rig.element, "look-ahead", 180 * GST_MSECOND, nullptr);
  fail_unless_equals_uint64(rig.Latency(&live, &max), (180 + 40 + 40) * GST_MSECOND);
  fail_unless(live);
  // Frame 0 needs 180 ms of audio and the sample after it.
  rig.Push(320, 2400);
  fail_unless(rig.Quiet());
  rig.Push(2720, 320);
  fail_unless(!rig.Pull().idle);
}
GST_END_TEST

GST_START_TEST(starved_frames_are_idle) {
  Settings settings;
  settings.live = true;
  settings.look_ahead = 140 * GST_MSECOND;
  Rig rig(Options(settings));
  rig.Push(0, 8000);  // enough for 360 ms and what it hears
  std::vector<Picture> frames;
  for (int n = 0; n < 20; ++n) {
    if (n >= 10) rig.Crank();
    frames.push_back(rig.Pull());
    fail_unless_equals_int(frames.back().idle, n >= 10);
  }
  ExpectTimes(frames, 25, 1);
  rig.ExpectStats(10, 10, 0);
}
GST_END_TEST

GST_START_TEST(untrained_conditioning_is_a_warning) {
  Settings settings;
  settings.pack = "mftfg-untrained";
  Rig rig(Options(settings));
  ExpectWords(TextOf(rig.Await(GST_MESSAGE_WARNING)), "conditioning: untrained");
  rig.PushCut(0, 3200, 3200);
  fail_unless_equals_uint64(rig.Finish().size(), 5);
  fail_unless(rig.Poll(GST_MESSAGE_WARNING) == nullptr);
}
GST_END_TEST

GST_START_TEST(action_units_are_posted_and_gain_warns) {
  Rig rig(Options());
  g_object_set(rig.element, "post-messages", TRUE, "expression-gain", 2.0, nullptr);
  rig.PushCut(0, 1600, 1600);
  fail_unless_equals_uint64(rig.Finish().size(), 3);
  ExpectWords(TextOf(rig.Await(GST_MESSAGE_WARNING)), "expression-gain has no effect");
  GstMessage* message = rig.Await(GST_MESSAGE_ELEMENT);
  const GValue* units = gst_structure_get_value(gst_message_get_structure(message), "action-units");
  fail_unless(units != nullptr);
  double lips_part = -1;
  fail_unless(gst_structure_get_double(gst_value_get_structure(units), "au25", &lips_part));
  fail_unless(lips_part >= 0 && lips_part <= 5);
  gst_message_unref(message);
}
GST_END_TEST

static Suite* talkfacegen_mftfg_suite() {
  PreloadEngine();
  Suite* suite = suite_create("talkfacegen_mftfg");
  TCase* cases = tcase_create("general");
  suite_add_tcase(suite, cases);
  tcase_add_test(cases, frames_are_exact_for_every_cut);
  tcase_add_test(cases, steps_and_seed_change_the_pictures);
  tcase_add_test(cases, steps_beyond_the_sampler_are_an_error);
  tcase_add_test(cases, flush_starts_anew);
  tcase_add_test(cases, latency_is_what_is_waited_for);
  tcase_add_test(cases, starved_frames_are_idle);
  tcase_add_test(cases, untrained_conditioning_is_a_warning);
  tcase_add_test(cases, action_units_are_posted_and_gain_warns);
  return suite;
}

GST_CHECK_MAIN(talkfacegen_mftfg)
