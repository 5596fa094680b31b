// SPDX-License-Identifier: MIT
// talkfacegen with a file-like source: exact frames, states, tags, errors.
#include <gst/check/gstcheck.h>

#include "tests/check/rig.h"

using namespace talkface::test;

namespace {

std::string VideoCaps(int fps_n, int fps_d) {
  return "video/x-raw,format=RGB,width=32,height=32,framerate=" + std::to_string(fps_n) + "/" +
         std::to_string(fps_d);
}

std::string ErrorText(Rig* rig, GQuark* domain, int* code) {
  GstMessage* message = rig->Await(GST_MESSAGE_ERROR);
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  const std::string text = error->message;
  *domain = error->domain;
  *code = error->code;
  g_error_free(error);
  gst_message_unref(message);
  return text;
}

// `portrait` may be null.
GstElement* Element(const char* model, const char* portrait, GstBus** bus) {
  GstElement* element = gst_element_factory_make("talkfacegen", nullptr);
  gst_object_ref_sink(element);
  g_object_set(element, "model", model, "identity-image", portrait, nullptr);
  *bus = gst_bus_new();
  gst_element_set_bus(element, *bus);
  return element;
}

void Drop(GstElement* element, GstBus* bus) {
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  gst_element_set_bus(element, nullptr);
  gst_object_unref(element);
  gst_object_unref(bus);
}

void ExpectError(GstBus* bus, GQuark domain, int code) {
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  fail_unless(message != nullptr, "no error was posted");
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  fail_unless(error->domain == domain && error->code == code, "%s: %s",
              g_quark_to_string(error->domain), error->message);
  g_error_free(error);
  gst_message_unref(message);
  fail_unless(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR) == nullptr, "more than one error");
}

}  // namespace

// ceil(D x rate) frames at their exact times, the same for every cut of the audio: some speech and
// a sample at 16 kHz.
GST_START_TEST(frames_are_exact_for_every_rate_and_cut) {
  using Steps = std::vector<uint64_t>;
  std::vector<std::pair<int, int>> rates = {{24000, 1001}, {60, 1}};
  if (TestSubject().quick) rates.insert(rates.end(), {{25, 1}, {30000, 1001}, {50, 1}});
  const uint64_t samples = (SomeSpeechMs() + 300) * 16 + 1;
  for (const auto& [fps_n, fps_d] : rates) {
    const std::string caps = VideoCaps(fps_n, fps_d);
    std::vector<std::string> reference;
    for (uint64_t step : TestSubject().quick ? Steps{160, 441, 1024, 48000} : Steps{441, 48000}) {
      RigOptions options;
      options.video = caps.c_str();
      Rig rig(options);
      rig.PushCut(0, samples, step);
      const std::vector<Picture> frames = rig.Finish();
      const guint64 per = 16000 * static_cast<guint64>(fps_d);
      const guint64 want = (samples * static_cast<guint64>(fps_n) + per - 1) / per;
      fail_unless_equals_uint64(frames.size(), want);
      ExpectTimes(frames, fps_n, fps_d);
      for (size_t i = 0; i < frames.size(); ++i) {
        fail_unless(!frames[i].idle);
        fail_unless_equals_int(frames[i].discont, i == 0);
      }
      rig.ExpectStats(want, 0, 0);
      if (reference.empty()) reference = Checksums(frames);
      fail_unless(reference == Checksums(frames), "another cut, other pictures");
      ExpectMotion(frames);
    }
  }
}
GST_END_TEST

GST_START_TEST(buffers_of_one_sample) {
  const uint64_t samples = SomeSpeechMs() * 16;
  Rig whole, single;
  whole.PushCut(0, samples, samples);
  single.PushCut(0, samples, 1);
  const std::vector<Picture> frames = single.Finish();
  fail_unless_equals_uint64(frames.size(), SomeSpeechMs() / 40);
  fail_unless(Checksums(frames) == Checksums(whole.Finish()));
}
GST_END_TEST

GST_START_TEST(no_audio_no_frames) {
  Rig rig;
  fail_unless_equals_uint64(rig.Finish().size(), 0);
  rig.ExpectStats(0, 0, 0);
}
GST_END_TEST

GST_START_TEST(one_sample_is_one_frame) {
  Rig rig;
  rig.Push(0, 1);
  const std::vector<Picture> frames = rig.Finish();
  fail_unless_equals_uint64(frames.size(), 1);
  ExpectTimes(frames, 25, 1);
}
GST_END_TEST

// All frames whose audio is here leave without waiting for the next buffer: 440 ms less 200 ms of
// look-ahead, frames 0 to 6.
GST_START_TEST(due_frames_leave_at_once) {
  Rig rig;
  rig.Push(0, 7040);
  ExpectTimes(rig.Pull(7), 25, 1);
  fail_unless_equals_uint64(rig.Finish().size(), 4);
}
GST_END_TEST

GST_START_TEST(frames_in_flight_leave_in_order) {
  RigOptions options;
  options.slow_ms = 3;
  // Where slowness changes the pictures, they are compared with such as were drawn one by one.
  Rig slow(options), quick(TestSubject().obeys_faults ? RigOptions() : options);
  const unsigned frame_count = 2 * SomeSpeechMs() / 40;
  const uint64_t samples = frame_count * uint64_t{640};
  slow.PushCut(0, samples, samples);
  quick.PushCut(0, samples, 640);
  const std::vector<Picture> frames = slow.Finish();
  ExpectTimes(frames, 25, 1);
  fail_unless(Checksums(frames) == Checksums(quick.Finish()));
  slow.ExpectStats(frame_count, 0, 0);
  if (TestSubject().obeys_faults) fail_unless(slow.Stat("render-time-mean") >= 3 * GST_MSECOND);
  fail_unless(slow.Stat("render-time-mean") > 0);
  fail_unless(slow.Stat("render-time-max") >= slow.Stat("render-time-mean"));
}
GST_END_TEST

GST_START_TEST(loading_tells_its_progress) {
  TempFolder folder;
  const std::string portrait = WriteSubjectPortrait(folder.path("p.png"));
  GstBus* bus = nullptr;
  GstElement* element = Element(TestSubject().pack, portrait.c_str(), &bus);
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  std::vector<GstProgressType> seen;
  while (GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_PROGRESS)) {
    GstProgressType type;
    char *code = nullptr, *text = nullptr;
    gst_message_parse_progress(message, &type, &code, &text);
    fail_unless_equals_string(code, "load-model");
    fail_unless(text[0] != '\0');
    seen.push_back(type);
    g_free(code);
    g_free(text);
    gst_message_unref(message);
  }
  fail_unless(seen.size() >= 3);
  fail_unless_equals_int(seen.front(), GST_PROGRESS_TYPE_START);
  for (size_t i = 1; i + 1 < seen.size(); ++i)
    fail_unless_equals_int(seen[i], GST_PROGRESS_TYPE_CONTINUE);
  fail_unless_equals_int(seen.back(), GST_PROGRESS_TYPE_COMPLETE);
  Drop(element, bus);
}
GST_END_TEST

GST_START_TEST(missing_portrait_is_a_settings_error) {
  GstBus* bus = nullptr;
  GstElement* element = Element(TestSubject().pack, nullptr, &bus);
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                         GST_STATE_CHANGE_FAILURE);
  ExpectError(bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
  Drop(element, bus);
}
GST_END_TEST

GST_START_TEST(missing_model_is_not_found) {
  TempFolder folder;
  const std::string portrait = WriteSubjectPortrait(folder.path("p.png"));
  GstBus* bus = nullptr;
  GstElement* element = Element("no-such-pack", portrait.c_str(), &bus);
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  ExpectError(bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
  // Set right, the same element works.
  g_object_set(element, "model", TestSubject().pack, nullptr);
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                         GST_STATE_CHANGE_SUCCESS);
  Drop(element, bus);
}
GST_END_TEST

GST_START_TEST(model_changed_in_ready_is_opened_again) {
  TempFolder folder;
  const std::string portrait = WriteSubjectPortrait(folder.path("p.png"));
  GstBus* bus = nullptr;
  GstElement* element = Element(TestSubject().pack, portrait.c_str(), &bus);
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  g_object_set(element, "model", WriteFakePack(folder.path("pack"), "\"fail_open\": true").c_str(),
               nullptr);
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                         GST_STATE_CHANGE_FAILURE);
  Drop(element, bus);
}
GST_END_TEST

GST_START_TEST(the_same_again_after_null) {
  Rig rig;
  std::vector<std::string> reference;
  for (int round = 0; round < 3; ++round) {
    rig.PushCut(0, SomeSpeechMs() * 16, 1600);
    const std::vector<Picture> frames = rig.Finish();
    ExpectTimes(frames, 25, 1);
    rig.ExpectStats(SomeSpeechMs() / 40, 0, 0);
    if (round == 0) reference = Checksums(frames);
    fail_unless(Checksums(frames) == reference);
    gst_element_set_state(rig.element, GST_STATE_NULL);
    gst_element_set_state(rig.element, GST_STATE_PLAYING);
    rig.Event(gst_event_new_flush_start());
    rig.Event(gst_event_new_flush_stop(TRUE));
    rig.Event(gst_event_new_stream_start("again"));
    GstCaps* caps = gst_caps_from_string(RigOptions().audio);
    rig.Event(gst_event_new_caps(caps));
    gst_caps_unref(caps);
    rig.PushSegment(0);
  }
}
GST_END_TEST

// After the segment and before the first frame: ours and upstream's global ones in one list,
// upstream's stream ones in another; what describes the audio coding is left out.
GST_START_TEST(tags_are_sent_sorted_out) {
  Rig rig;
  GstTagList* global = gst_tag_list_new(GST_TAG_TITLE, "Lecture", nullptr);
  gst_tag_list_set_scope(global, GST_TAG_SCOPE_GLOBAL);
  rig.Event(gst_event_new_tag(global));
  rig.Event(gst_event_new_tag(gst_tag_list_new(GST_TAG_AUDIO_CODEC, "MP3", GST_TAG_BITRATE, 128000u,
                                               GST_TAG_LANGUAGE_CODE, "en", nullptr)));
  rig.Push(0, 16000);
  rig.Pull();
  bool segment = false, synthetic = false, title = false, language = false;
  while (GstEvent* event = gst_harness_try_pull_event(rig.harness)) {
    if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) segment = true;
    if (GST_EVENT_TYPE(event) == GST_EVENT_TAG) {
      fail_unless(segment, "a tag before the segment");
      GstTagList* tags = nullptr;
      gst_event_parse_tag(event, &tags);
      char* text = gst_tag_list_to_string(tags);
      synthetic |= g_strstr_len(text, -1, "trainedAlgorithmicMedia") != nullptr;
      title |= g_strstr_len(text, -1, "Lecture") != nullptr;
      language |= g_strstr_len(text, -1, "language-code=(string)en") != nullptr;
      fail_unless(g_strstr_len(text, -1, "codec") == nullptr, "%s", text);
      fail_unless(g_strstr_len(text, -1, "bitrate") == nullptr, "%s", text);
      g_free(text);
    }
    gst_event_unref(event);
  }
  fail_unless(synthetic, "no synthetic-media tag");
  fail_unless(title, "no title");
  fail_unless(language, "no language");
}
GST_END_TEST

GST_START_TEST(engine_failure_is_one_error) {
  for (const char* faults : {"\"fail_at_frame\": 10", "\"fail_speech_at_ms\": 400"}) {
    RigOptions options;
    options.faults = faults;
    Rig rig(options);
    rig.Push(0, 32000);
    for (uint64_t i = 2; i < 20; ++i) {
      if (rig.Push(i * 16000, 16000) != GST_FLOW_OK) break;
    }
    GQuark domain = 0;
    int code = 0;
    const std::string text = ErrorText(&rig, &domain, &code);
    fail_unless(domain == GST_STREAM_ERROR && code == GST_STREAM_ERROR_FAILED, "%s", text.c_str());
    fail_unless(rig.Poll(GST_MESSAGE_ERROR) == nullptr, "more than one error");
    fail_unless_equals_uint64(rig.Stat("due"),
                              rig.Stat("rendered") + rig.Stat("idle") + rig.Stat("dropped"));
    fail_unless(rig.Stat("rendered") <= 10);
  }
}
GST_END_TEST

// Everything pending is forgotten at once; the next frame has the next number, and untimed speech
// follows there.
GST_START_TEST(interrupt_forgets_speech_and_keeps_the_clock) {
  Rig rig;
  rig.Push(0, 16000);
  rig.Pull(21);
  g_signal_emit_by_name(rig.element, "interrupt");
  GstBuffer* speech = Rig::Audio(0, 16000);
  GST_BUFFER_PTS(speech) = GST_CLOCK_TIME_NONE;
  fail_unless_equals_int(gst_harness_push(rig.harness, speech), GST_FLOW_OK);
  const std::vector<Picture> frames = rig.Finish();
  // Interrupted at frame 21, 840 ms; then 1 s more.
  fail_unless_equals_uint64(frames.size(), 25);
  ExpectTimes(frames, 25, 1, 21);
  Rig fresh;
  fresh.Push(0, 16000);
  fail_unless(Checksums(frames) == Checksums(fresh.Finish()), "old speech is in new frames");
  rig.ExpectStats(46, 0, 0);
}
GST_END_TEST

GST_START_TEST(new_stream_after_the_end) {
  Rig rig;
  std::vector<std::string> reference;
  for (int round = 0; round < 3; ++round) {
    if (round > 0) {
      rig.Event(gst_event_new_stream_start("next"));
      GstCaps* caps = gst_caps_from_string(RigOptions().audio);
      rig.Event(gst_event_new_caps(caps));
      gst_caps_unref(caps);
      rig.PushSegment(0);
    }
    rig.Push(0, SomeSpeechMs() * 16);
    const std::vector<Picture> frames = rig.Finish();
    fail_unless_equals_uint64(frames.size(), SomeSpeechMs() / 40);
    ExpectTimes(frames, 25, 1);
    if (round == 0) reference = Checksums(frames);
    fail_unless(Checksums(frames) == reference);
  }
  rig.ExpectStats(3 * SomeSpeechMs() / 40, 0, 0);
}
GST_END_TEST

GST_START_TEST(stopping_does_not_wait_for_the_engine) {
  RigOptions options;
  options.slow_ms = 500;
  Rig rig(options);
  rig.Push(0, 64000);  // 95 frames, of which none is ready for half a second
  fail_unless_equals_int(gst_element_set_state(rig.element, GST_STATE_NULL),
                         GST_STATE_CHANGE_SUCCESS);
  fail_unless(rig.Stat("due") < 95);
}
GST_END_TEST

GST_START_TEST(audio_without_caps_is_an_error) {
  RigOptions options;
  options.audio = nullptr;
  Rig rig(options);
  rig.Event(gst_event_new_stream_start("bare"));
  rig.PushSegment(0);
  rig.Push(0, 160);
  GQuark domain = 0;
  int code = 0;
  ErrorText(&rig, &domain, &code);
  fail_unless(domain == GST_CORE_ERROR && code == GST_CORE_ERROR_NEGOTIATION);
}
GST_END_TEST

static Suite* talkfacegen_suite() {
  PreloadEngine();
  Suite* suite = suite_create("talkfacegen");
  TCase* cases = tcase_create("general");
  suite_add_tcase(suite, cases);
  tcase_add_test(cases, frames_are_exact_for_every_rate_and_cut);
  tcase_add_test(cases, buffers_of_one_sample);
  tcase_add_test(cases, no_audio_no_frames);
  tcase_add_test(cases, one_sample_is_one_frame);
  tcase_add_test(cases, due_frames_leave_at_once);
  tcase_add_test(cases, frames_in_flight_leave_in_order);
  tcase_add_test(cases, loading_tells_its_progress);
  tcase_add_test(cases, missing_portrait_is_a_settings_error);
  tcase_add_test(cases, missing_model_is_not_found);
  tcase_add_test(cases, model_changed_in_ready_is_opened_again);
  tcase_add_test(cases, the_same_again_after_null);
  tcase_add_test(cases, tags_are_sent_sorted_out);
  if (TestSubject().obeys_faults) tcase_add_test(cases, engine_failure_is_one_error);
  tcase_add_test(cases, interrupt_forgets_speech_and_keeps_the_clock);
  tcase_add_test(cases, new_stream_after_the_end);
  tcase_add_test(cases, stopping_does_not_wait_for_the_engine);
  tcase_add_test(cases, audio_without_caps_is_an_error);
  return suite;
}

GST_CHECK_MAIN(talkfacegen)
