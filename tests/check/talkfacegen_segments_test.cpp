// SPDX-License-Identifier: MIT
// talkfacegen's time: segments, holes, gaps, and frames that come too late.
#include <gst/check/gstcheck.h>

#include "tests/check/rig.h"

using namespace talkface::test;

namespace {

constexpr GstClockTime kMs = GST_MSECOND;

// Fails unless the frames that hear nothing but the silence from `begin` to `end` are the same.
void ExpectStillness(const std::vector<Picture>& frames, GstClockTime begin, GstClockTime end) {
  const Subject& subject = TestSubject();
  const Picture* first = nullptr;
  int compared = 0;
  for (const Picture& frame : frames) {
    if (frame.pts < begin + subject.memory || frame.pts + subject.look_ahead > end) continue;
    if (first == nullptr) first = &frame;
    fail_unless(frame.checksum == first->checksum, "silence is not silent at %d ms",
                static_cast<int>(frame.pts / kMs));
    ++compared;
  }
  fail_unless(compared >= 5, "%d frames are in silence", compared);
}

}  // namespace

GST_START_TEST(segment_with_a_start) {
  Rig rig, plain;
  rig.PushSegment(5 * GST_SECOND);
  GstBuffer* audio = Rig::Audio(0, 16000);
  GST_BUFFER_PTS(audio) = 5 * GST_SECOND;
  gst_harness_push(rig.harness, audio);
  plain.Push(0, 16000);
  const std::vector<Picture> frames = rig.Finish(), reference = plain.Finish();
  fail_unless_equals_uint64(frames.size(), 25);
  ExpectTimes(frames, 25, 1, 0, 5 * GST_SECOND);
  for (size_t i = 0; i < 25; ++i) fail_unless(frames[i].checksum == reference[i].checksum);
}
GST_END_TEST

// 1 s of audio of which 300 ms are before the segment and 200 ms after its stop.
GST_START_TEST(segment_clips_audio) {
  Rig rig;
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.time = segment.position = 5 * GST_SECOND;
  segment.stop = 5500 * kMs;
  rig.Event(gst_event_new_segment(&segment));
  GstBuffer* audio = Rig::Audio(0, 16000);
  GST_BUFFER_PTS(audio) = 4700 * kMs;
  gst_harness_push(rig.harness, audio);
  const std::vector<Picture> frames = rig.Finish();
  fail_unless_equals_uint64(frames.size(), 13);  // 500 ms
  ExpectTimes(frames, 25, 1, 0, 5 * GST_SECOND);
}
GST_END_TEST

GST_START_TEST(hole_and_overlap_keep_time) {
  Rig rig;
  rig.Push(0, 8000);
  rig.Push(24000, 8000);   // 1 s missing
  rig.Push(24000, 16000);  // half known
  const std::vector<Picture> frames = rig.Finish();
  fail_unless_equals_uint64(frames.size(), 63);  // 2.5 s
  ExpectTimes(frames, 25, 1);
  rig.ExpectStats(63, 0, 0);
}
GST_END_TEST

GST_START_TEST(gap_event_is_silence) {
  Rig rig;
  rig.Push(0, 8000);
  rig.Event(gst_event_new_gap(500 * kMs, 1000 * kMs));
  rig.Push(24000, 3200);
  const std::vector<Picture> frames = rig.Finish();
  fail_unless_equals_uint64(frames.size(), 43);  // 1.7 s
  ExpectTimes(frames, 25, 1);
  ExpectStillness(frames, 500 * kMs, 1500 * kMs);
}
GST_END_TEST

GST_START_TEST(gap_flagged_buffers_are_silence) {
  Rig rig;
  GstBuffer* noise = Rig::Audio(0, 16000);
  GST_BUFFER_FLAG_SET(noise, GST_BUFFER_FLAG_GAP);
  gst_harness_push(rig.harness, noise);
  const std::vector<Picture> frames = rig.Finish();
  fail_unless_equals_uint64(frames.size(), 25);
  for (const Picture& frame : frames) fail_unless(!frame.idle);
  ExpectStillness(frames, 0, 1000 * kMs);
}
GST_END_TEST

// A second file after the first without a flush: the first is spoken to its last sample.
GST_START_TEST(next_segment_drains_the_one_before) {
  Rig rig;
  rig.Push(0, 8001);
  rig.PushSegment(0, 500 * kMs + 62500);
  rig.Push(0, 16000);
  const std::vector<Picture> frames = rig.Finish();
  fail_unless_equals_uint64(frames.size(), 13 + 25);
  ExpectTimes({frames.begin(), frames.begin() + 13}, 25, 1);
  ExpectTimes({frames.begin() + 13, frames.end()}, 25, 1);
  fail_unless(frames[13].discont);
}
GST_END_TEST

GST_START_TEST(segment_in_bytes_or_backwards_is_an_error) {
  for (bool bytes : {true, false}) {
    Rig rig;
    GstSegment segment;
    gst_segment_init(&segment, bytes ? GST_FORMAT_BYTES : GST_FORMAT_TIME);
    if (!bytes) {
      segment.rate = -1;
      segment.stop = GST_SECOND;
    }
    gst_harness_push_event(rig.harness, gst_event_new_segment(&segment));
    GstMessage* message = rig.Await(GST_MESSAGE_ERROR);
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    fail_unless(g_error_matches(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT));
    g_error_free(error);
    gst_message_unref(message);
  }
}
GST_END_TEST

GST_START_TEST(segment_done_comes_after_the_last_frame) {
  Rig rig;
  rig.Push(0, 16000);
  rig.Event(gst_event_new_segment_done(GST_FORMAT_TIME, GST_SECOND));
  for (;;) {
    GstEvent* event = gst_harness_pull_event(rig.harness);
    const bool done = GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT_DONE;
    gst_event_unref(event);
    if (done) break;
  }
  fail_unless_equals_int(gst_harness_buffers_in_queue(rig.harness), 25);
}
GST_END_TEST

// The sink says at 400 ms that it is 100 ms late: what begins before 400 + 200 + 40 ms is dropped.
GST_START_TEST(late_frames_are_dropped_and_reported) {
  Rig rig;
  rig.Push(0, 9600);  // to 600 ms: 11 frames
  std::vector<Picture> frames = rig.Pull(11);
  gst_harness_push_upstream_event(
      rig.harness, gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.5, 100 * kMs, 400 * kMs));
  rig.Push(9600, 9600);
  const std::vector<Picture> rest = rig.Finish();
  // 30 frames; 11 to 15 (440 to 600 ms) dropped.
  fail_unless_equals_uint64(rest.size(), 14);
  ExpectTimes(rest, 25, 1, 16);
  fail_unless(rest[0].discont);
  rig.ExpectStats(25, 0, 5);
  for (guint64 n = 11; n < 16; ++n) {
    GstMessage* message = rig.Await(GST_MESSAGE_QOS);
    gboolean live = TRUE;
    guint64 running = 0, stream = 0, timestamp = 0, duration = 0, processed = 0, dropped = 0;
    gint64 jitter = 0;
    gdouble proportion = 0;
    GstFormat format = GST_FORMAT_UNDEFINED;
    gst_message_parse_qos(message, &live, &running, &stream, &timestamp, &duration);
    gst_message_parse_qos_values(message, &jitter, &proportion, nullptr);
    gst_message_parse_qos_stats(message, &format, &processed, &dropped);
    fail_unless(!live);
    fail_unless_equals_uint64(timestamp, n * 40 * kMs);
    fail_unless_equals_uint64(running, n * 40 * kMs);
    fail_unless_equals_uint64(duration, 40 * kMs);
    fail_unless_equals_int64(jitter, static_cast<gint64>((640 - n * 40) * kMs));
    fail_unless_equals_float(proportion, 1.5);
    fail_unless_equals_int(format, GST_FORMAT_BUFFERS);
    fail_unless_equals_uint64(processed, 11);
    fail_unless_equals_uint64(dropped, n - 10);
    gst_message_unref(message);
  }
}
GST_END_TEST

static Suite* talkfacegen_segments_suite() {
  PreloadEngine();
  Suite* suite = suite_create("talkfacegen_segments");
  TCase* cases = tcase_create("general");
  suite_add_tcase(suite, cases);
  tcase_add_test(cases, gap_event_is_silence);
  tcase_add_test(cases, gap_flagged_buffers_are_silence);
  tcase_add_test(cases, next_segment_drains_the_one_before);
  tcase_add_test(cases, late_frames_are_dropped_and_reported);
  if (TestSubject().quick) {  // no model has a part in these
    tcase_add_test(cases, segment_with_a_start);
    tcase_add_test(cases, segment_clips_audio);
    tcase_add_test(cases, hole_and_overlap_keep_time);
    tcase_add_test(cases, segment_in_bytes_or_backwards_is_an_error);
    tcase_add_test(cases, segment_done_comes_after_the_last_frame);
  }
  return suite;
}

GST_CHECK_MAIN(talkfacegen_segments)
