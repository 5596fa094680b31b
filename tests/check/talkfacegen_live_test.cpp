// SPDX-License-Identifier: MIT
// talkfacegen with a live source, under a test clock.
#include <gst/check/gstcheck.h>

#include "tests/check/rig.h"

using namespace talkface::test;

namespace {

constexpr GstClockTime kMs = GST_MSECOND;

// The latency at 25 frames a second is look-ahead + 40 (frame) + 40 (processing-time), and the
// deadline of the frame at t is t + look-ahead + 40 ms.
GstClockTime OwnLatency() { return TestSubject().look_ahead + 80 * kMs; }
GstClockTime Deadline(guint64 number) {
  return TestSubject().look_ahead + 40 * kMs + number * 40 * kMs;
}

RigOptions Live() {
  RigOptions options;
  options.live = true;
  return options;
}

void ExpectIdle(const std::vector<Picture>& frames, bool idle) {
  for (const Picture& frame : frames)
    fail_unless(frame.idle == idle, "frame at %d ms", static_cast<int>(frame.pts / kMs));
}

// Audio of 20 ms that begins at `ms`, pushed as a live source does.
void PushLive(Rig* rig, uint64_t ms, uint64_t length_ms = 20) {
  fail_unless_equals_int(rig->Push(ms * 16, length_ms * 16), GST_FLOW_OK);
}

}  // namespace

// The first wait cannot be shorter than the latency, so that frames 0 and 1 are due after it; after
// every further one it is the next frame.
GST_START_TEST(starvation_gives_idle_frames_on_the_clock) {
  Rig rig(Live());
  rig.Crank();
  fail_unless_equals_uint64(rig.Now(), OwnLatency());
  std::vector<Picture> frames = rig.Pull(2);
  for (int n = 2; n < 20; ++n) {
    rig.Crank();
    fail_unless_equals_uint64(rig.Now(), Deadline(static_cast<guint64>(n)));
    frames.push_back(rig.Pull());
  }
  ExpectTimes(frames, 25, 1);
  ExpectIdle(frames, true);
  rig.ExpectStats(0, 20, 0);
}
GST_END_TEST

GST_START_TEST(speech_in_time_is_never_idle) {
  Rig rig(Live());
  std::vector<Picture> frames;
  for (uint64_t ms = 0; ms < 1000; ms += 20) {
    gst_test_clock_set_time(rig.clock, (ms + 20) * kMs);
    PushLive(&rig, ms);
    while (40 * frames.size() * kMs + kAudioAhead <= (ms + 20) * kMs) frames.push_back(rig.Pull());
  }
  const std::vector<Picture> rest = rig.Finish();
  frames.insert(frames.end(), rest.begin(), rest.end());
  fail_unless_equals_uint64(frames.size(), 25);
  ExpectTimes(frames, 25, 1);
  ExpectIdle(frames, false);
  rig.ExpectStats(25, 0, 0);
}
GST_END_TEST

// 480 ms of speech, then nothing, then speech again: one timeline throughout.
GST_START_TEST(speech_resumes_on_the_same_timeline) {
  Rig rig(Live());
  rig.Push(0, 7680);
  std::vector<Picture> frames = rig.Pull(8);  // 0 .. 280 ms
  ExpectIdle(frames, false);
  for (int n = 8; n < 20; ++n) {  // to 760 ms
    rig.Crank();
    frames.push_back(rig.Pull());
    fail_unless(frames.back().idle);
  }
  fail_unless_equals_uint64(rig.Now(), Deadline(19));
  rig.Push(7680, 8320);  // late: to 1 s
  const Picture next = rig.Pull();
  fail_unless_equals_uint64(next.pts, 800 * kMs);
  fail_unless(!next.idle);
  frames.push_back(next);
  const std::vector<Picture> rest = rig.Finish();
  frames.insert(frames.end(), rest.begin(), rest.end());
  fail_unless_equals_uint64(frames.size(), 25);
  ExpectTimes(frames, 25, 1);
  rig.ExpectStats(13, 12, 0);
}
GST_END_TEST

// Starved for a minute: the speech that comes then is placed at its own time, not behind a minute
// of silence, and what is far too old is not spoken at all.
GST_START_TEST(speech_after_a_long_pause) {
  Rig rig(Live());
  gst_test_clock_set_time(rig.clock, 60 * GST_SECOND);
  rig.Crank();  // the deadline has passed: goes on with the frame of now
  std::vector<Picture> frames = {rig.Pull()};
  fail_unless(frames[0].idle);
  const guint64 number = frames[0].pts / (40 * kMs);
  rig.Push(16000, 16000);  // 59 s old
  rig.Push(16 * 59920, 16 * 400);
  // Speech to 60.32 s: frames whose look-ahead is covered, up to 60.12 s.
  for (guint64 at = frames[0].pts + 40 * kMs; at <= 60120 * kMs; at += 40 * kMs)
    frames.push_back(rig.Pull());
  ExpectTimes(frames, 25, 1, number);
  ExpectIdle({frames.begin() + 4, frames.end()}, false);
}
GST_END_TEST

// Joined at a running time of 10 s: no burst of 245 stale frames.
GST_START_TEST(late_join_starts_at_now) {
  RigOptions options = Live();
  options.clock_ns = 10 * GST_SECOND;
  Rig rig(options);
  gst_test_clock_set_time(rig.clock, 10 * GST_SECOND);
  rig.Push(160000, 8000);  // 10.0 to 10.5 s
  const Picture frame = rig.Pull();
  fail_unless(Deadline(244) <= 10 * GST_SECOND && Deadline(245) > 10 * GST_SECOND);
  fail_unless_equals_uint64(frame.pts, 9760 * kMs);  // number 244
  fail_unless(frame.discont);
  std::vector<Picture> frames = rig.Pull(13);  // to 10.28 s
  ExpectTimes(frames, 25, 1, 245);
  ExpectIdle({frames.begin() + 5, frames.end()}, false);
  fail_unless_equals_uint64(rig.Stat("dropped"), 0);
}
GST_END_TEST

// The task was held up for a second in mid-stream: what nobody would see is left out and counted.
GST_START_TEST(hold_up_skips_to_now) {
  Rig rig(Live());
  rig.Crank();
  rig.Pull(2);
  gst_test_clock_set_time(rig.clock, 1280 * kMs);
  rig.Crank();
  fail_unless(Deadline(26) <= 1280 * kMs && Deadline(27) > 1280 * kMs);
  const Picture frame = rig.Pull();  // the frame at 1040 ms
  fail_unless_equals_uint64(frame.pts, 1040 * kMs);
  fail_unless(frame.discont && frame.idle);
  rig.ExpectStats(0, 3, 24);
}
GST_END_TEST

GST_START_TEST(latency_adds_upstream_and_resampler) {
  RigOptions options = Live();
  options.audio = "audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=1";
  Rig rig(options);
  gst_harness_set_upstream_latency(rig.harness, 30 * kMs);
  gst_harness_push(rig.harness, Rig::Audio(0, 4800, 48000));
  gst_harness_push(rig.harness, Rig::Audio(4800, 19200, 48000));
  rig.Pull();
  bool live = false;
  GstClockTime max = 0;
  const GstClockTime min = rig.Latency(&live, &max);
  fail_unless(live);
  const GstClockTime known = OwnLatency() + 30 * kMs;
  fail_unless(min > known && min < known + 10 * kMs, "%d us", static_cast<int>(min / 1000));
  fail_unless_equals_uint64(max, GST_CLOCK_TIME_NONE);
  guint64 own = 0;
  g_object_get(rig.element, "latency", &own, nullptr);
  fail_unless_equals_uint64(own, min - 30 * kMs);
}
GST_END_TEST

// Without it a non-live source never times out.
GST_START_TEST(force_live_makes_idle_frames) {
  RigOptions options;
  options.force_live = true;
  Rig rig(options);
  bool live = false;
  GstClockTime max = 0;
  fail_unless_equals_uint64(rig.Latency(&live, &max), OwnLatency());
  fail_unless(live);
  rig.Crank();
  std::vector<Picture> frames = rig.Pull(2);
  rig.Crank();
  frames.push_back(rig.Pull());
  ExpectTimes(frames, 25, 1);
  ExpectIdle(frames, true);
}
GST_END_TEST

GST_START_TEST(force_live_waits_for_playing) {
  TempFolder folder;
  const std::string portrait = WriteSubjectPortrait(folder.path("p.png"));
  GstElement* element =
      gst_element_factory_make_full("talkfacegen", "force-live", TRUE, "model", TestSubject().pack,
                                    "identity-image", portrait.c_str(), nullptr);
  gst_object_ref_sink(element);
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PAUSED),
                         GST_STATE_CHANGE_NO_PREROLL);
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  gst_object_unref(element);
}
GST_END_TEST

// A live pad holds as much as the latency says, not two buffers: nearly that much in small ones
// goes in while the task is held up downstream, and none waits.
GST_START_TEST(small_buffers_fit_while_the_task_is_busy) {
  Rig rig(Live());
  gst_harness_set_blocking_push_mode(rig.harness);
  rig.Push(0, 3200);  // frame 0 is pushed, and waits to be pulled
  const uint64_t held_ms = (OwnLatency() - 10 * kMs) / kMs;
  for (uint64_t ms = 200; ms < 200 + held_ms; ms += 10) PushLive(&rig, ms, 10);
  const std::vector<Picture> frames = rig.Pull(7);  // to 260 ms
  ExpectTimes(frames, 25, 1);
  ExpectIdle(frames, false);
}
GST_END_TEST

// Speech withdrawn by a flush: pending speech is gone, video goes on without a break, downstream
// sees no flush, and new speech is spoken.
GST_START_TEST(flush_withdraws_speech_and_keeps_the_clock) {
  Rig rig(Live());
  rig.Push(0, 7680);
  std::vector<Picture> frames = rig.Pull(8);
  rig.Push(7680, 1280);  // to 560 ms: two frames more
  frames.push_back(rig.Pull());
  frames.push_back(rig.Pull());
  rig.Event(gst_event_new_flush_start());
  rig.Event(gst_event_new_flush_stop(FALSE));
  rig.PushSegment(0);
  for (int n = 10; n < 15; ++n) {
    rig.Crank();
    frames.push_back(rig.Pull());
    fail_unless(frames.back().idle);
  }
  // New speech from 600 ms on.
  rig.Push(9600, 8000);
  const std::vector<Picture> rest = rig.Finish();
  frames.insert(frames.end(), rest.begin(), rest.end());
  ExpectTimes(frames, 25, 1);
  fail_unless_equals_uint64(frames.size(), 28);  // 1.1 s
  ExpectIdle(rest, false);
  for (const Picture& frame : frames) fail_unless_equals_int(frame.discont, frame.pts == 0);
  while (GstEvent* event = gst_harness_try_pull_event(rig.harness)) {
    fail_unless(GST_EVENT_TYPE(event) != GST_EVENT_FLUSH_START);
    fail_unless(GST_EVENT_TYPE(event) != GST_EVENT_FLUSH_STOP);
    gst_event_unref(event);
  }
  rig.ExpectStats(23, 5, 0);
}
GST_END_TEST

GST_START_TEST(interrupt_on_live_goes_idle_at_once) {
  Rig rig(Live());
  rig.Push(0, 16000);
  std::vector<Picture> frames = rig.Pull(21);
  g_signal_emit_by_name(rig.element, "interrupt");
  for (int n = 21; n < 25; ++n) {
    rig.Crank();
    frames.push_back(rig.Pull());
    fail_unless(frames.back().idle);
  }
  ExpectTimes(frames, 25, 1);
  rig.ExpectStats(21, 4, 0);
}
GST_END_TEST

// The end of an utterance is told by a GAP: its last frames need not wait for the deadline.
GST_START_TEST(gap_ends_an_utterance) {
  Rig rig(Live());
  rig.Push(0, 7680);
  rig.Pull(8);
  rig.Event(gst_event_new_gap(480 * kMs, 320 * kMs));
  const std::vector<Picture> frames = rig.Pull(8);  // to 600 ms
  ExpectTimes(frames, 25, 1, 8);
  ExpectIdle(frames, false);
}
GST_END_TEST

// A live source begins a new segment: its audio is placed by running time.
GST_START_TEST(new_segment_on_live_keeps_the_clock) {
  Rig rig(Live());
  rig.Push(0, 8000);
  std::vector<Picture> frames = rig.Pull(8);
  rig.PushSegment(5 * GST_SECOND, 500 * kMs);  // 5 s of it is at 500 ms
  rig.Push(5 * 16000, 8000);
  const std::vector<Picture> rest = rig.Finish();
  frames.insert(frames.end(), rest.begin(), rest.end());
  fail_unless_equals_uint64(frames.size(), 25);
  ExpectTimes(frames, 25, 1);
  ExpectIdle(frames, false);
}
GST_END_TEST

GST_START_TEST(idle_frames_say_so_in_the_message) {
  Rig rig(Live());
  g_object_set(rig.element, "post-messages", TRUE, nullptr);
  rig.Crank();
  rig.Pull(2);
  GstMessage* message = rig.Await(GST_MESSAGE_ELEMENT);
  gboolean idle = FALSE;
  fail_unless(gst_structure_get_boolean(gst_message_get_structure(message), "idle", &idle));
  fail_unless(idle);
  gst_message_unref(message);
}
GST_END_TEST

static Suite* talkfacegen_live_suite() {
  PreloadEngine();
  Suite* suite = suite_create("talkfacegen_live");
  TCase* cases = tcase_create("general");
  suite_add_tcase(suite, cases);
  tcase_add_test(cases, starvation_gives_idle_frames_on_the_clock);
  tcase_add_test(cases, speech_in_time_is_never_idle);
  tcase_add_test(cases, speech_resumes_on_the_same_timeline);
  tcase_add_test(cases, speech_after_a_long_pause);
  tcase_add_test(cases, late_join_starts_at_now);
  tcase_add_test(cases, hold_up_skips_to_now);
  tcase_add_test(cases, latency_adds_upstream_and_resampler);
  tcase_add_test(cases, force_live_makes_idle_frames);
  tcase_add_test(cases, force_live_waits_for_playing);
  tcase_add_test(cases, small_buffers_fit_while_the_task_is_busy);
  tcase_add_test(cases, flush_withdraws_speech_and_keeps_the_clock);
  tcase_add_test(cases, interrupt_on_live_goes_idle_at_once);
  tcase_add_test(cases, gap_ends_an_utterance);
  tcase_add_test(cases, new_segment_on_live_keeps_the_clock);
  tcase_add_test(cases, idle_frames_say_so_in_the_message);
  return suite;
}

GST_CHECK_MAIN(talkfacegen_live)
