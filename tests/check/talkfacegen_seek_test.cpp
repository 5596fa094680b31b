// SPDX-License-Identifier: MIT
// talkfacegen's time: segments, seeks, flushes, holes, quality of service, and the queries about
// it.
#include <gst/audio/audio.h>
#include <gst/check/gstcheck.h>

#include "tests/check/rig.h"

using namespace talkface::test;

namespace {

constexpr GstClockTime kMs = GST_MSECOND;

// audiotestsrc ! talkfacegen ! appsink, prerolled.
struct Pipeline {
  explicit Pipeline(unsigned slow_ms = 0) {
    const std::string portrait = WriteSubjectPortrait(folder.path("p.png"));
    const std::string model = slow_ms > 0 ? SlowSubject(folder, slow_ms).Properties()
                                          : std::string("model=") + TestSubject().pack;
    const std::string line =
        "audiotestsrc wave=pink-noise samplesperbuffer=441 ! audio/x-raw,rate=44100,channels=1 ! "
        "talkfacegen name=gen " +
        model + " identity-image=" + portrait +
        " ! video/x-raw,format=RGB,width=16,height=16,framerate=25/1 ! "
        "appsink name=out sync=false max-buffers=4";
    pipeline = gst_parse_launch(line.c_str(), nullptr);
    fail_unless(pipeline != nullptr);
    out = gst_bin_get_by_name(GST_BIN(pipeline), "out");
    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    fail_unless_equals_int(
        gst_element_get_state(pipeline, nullptr, nullptr, kPatienceS * GST_SECOND),
        GST_STATE_CHANGE_SUCCESS);
  }
  ~Pipeline() {
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(out);
    gst_object_unref(pipeline);
  }
  bool Seek(double rate, GstClockTime start, GstClockTime stop) {
    return gst_element_seek(pipeline, rate, GST_FORMAT_TIME,
                            static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE),
                            GST_SEEK_TYPE_SET, static_cast<gint64>(start), GST_SEEK_TYPE_SET,
                            static_cast<gint64>(stop));
  }
  // All frames to the end: times, and stream and running time of each.
  struct Times {
    GstClockTime pts, stream, running;
  };
  std::vector<Times> PlayToEnd() {
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    std::vector<Times> times;
    for (;;) {
      GstSample* sample = nullptr;
      g_signal_emit_by_name(out, "pull-sample", &sample);
      if (sample == nullptr) return times;
      const GstClockTime pts = GST_BUFFER_PTS(gst_sample_get_buffer(sample));
      const GstSegment* segment = gst_sample_get_segment(sample);
      times.push_back({pts, gst_segment_to_stream_time(segment, GST_FORMAT_TIME, pts),
                       gst_segment_to_running_time(segment, GST_FORMAT_TIME, pts)});
      gst_sample_unref(sample);
    }
  }
  TempFolder folder;
  GstElement *pipeline = nullptr, *out = nullptr;
};

// An upstream that knows its length in bytes, and can or cannot be sought.
gboolean g_seekable = FALSE;
gboolean UpstreamQuery(GstPad* pad, GstObject* parent, GstQuery* query) {
  GstFormat format = GST_FORMAT_UNDEFINED;
  if (GST_QUERY_TYPE(query) == GST_QUERY_DURATION) {
    gst_query_parse_duration(query, &format, nullptr);
    if (format != GST_FORMAT_BYTES) return FALSE;
    gst_query_set_duration(query, format, 5 * 32000);
    return TRUE;
  }
  if (GST_QUERY_TYPE(query) == GST_QUERY_SEEKING) {
    gst_query_parse_seeking(query, &format, nullptr, nullptr, nullptr);
    gst_query_set_seeking(query, format, g_seekable, 0, 5 * GST_SECOND);
    return TRUE;
  }
  return gst_pad_query_default(pad, parent, query);
}

gboolean RefuseEvent(GstPad* pad, GstObject* parent, GstEvent* event) {
  gst_event_unref(event);
  return FALSE;
}

GstEvent* SeekTo(double rate, GstClockTime start) {
  return gst_event_new_seek(rate, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
                            static_cast<gint64>(start), GST_SEEK_TYPE_NONE, -1);
}

bool SendUpstream(Rig* rig, GstEvent* event) {
  GstPad* pad = gst_element_get_static_pad(rig->element, "src");
  const bool handled = gst_pad_send_event(pad, event);
  gst_object_unref(pad);
  return handled;
}

}  // namespace

GST_START_TEST(seek_flushes_and_stream_time_is_right) {
  Pipeline pipeline;
  fail_unless(pipeline.Seek(1.0, 3 * GST_SECOND, 4 * GST_SECOND));
  const auto times = pipeline.PlayToEnd();
  fail_unless_equals_uint64(times.size(), 25);
  for (size_t i = 0; i < times.size(); ++i) {
    fail_unless_equals_uint64(times[i].stream, 3 * GST_SECOND + i * 40 * kMs);
    fail_unless_equals_uint64(times[i].running, i * 40 * kMs);
  }
}
GST_END_TEST

GST_START_TEST(seek_after_seek_and_after_the_end) {
  Pipeline pipeline;
  for (guint64 from : {1u, 4u, 0u}) {
    const GstClockTime start = from * GST_SECOND;
    fail_unless(pipeline.Seek(1.0, start, start + 400 * kMs));
    const auto times = pipeline.PlayToEnd();
    fail_unless_equals_uint64(times.size(), 10);
    fail_unless_equals_uint64(times[0].stream, start);
  }
}
GST_END_TEST

GST_START_TEST(seek_at_double_speed) {
  Pipeline pipeline;
  fail_unless(pipeline.Seek(2.0, 2 * GST_SECOND, 3 * GST_SECOND));
  const auto times = pipeline.PlayToEnd();
  fail_unless_equals_uint64(times.size(), 25);
  fail_unless_equals_uint64(times[24].stream, 2960 * kMs);
  fail_unless_equals_uint64(times[24].running, 480 * kMs);
}
GST_END_TEST

GST_START_TEST(backward_seek_is_refused_and_play_goes_on) {
  Pipeline pipeline;
  fail_unless(pipeline.Seek(1.0, 0, GST_SECOND));
  fail_unless(!pipeline.Seek(-1.0, 0, 2 * GST_SECOND));
  fail_unless_equals_uint64(pipeline.PlayToEnd().size(), 25);
}
GST_END_TEST

// With frames that take long in the engine, a seek does not wait for them: the paused sink takes
// four, so that to wait for all 100 of a seek would never end.
GST_START_TEST(seek_while_rendering) {
  Pipeline pipeline(300);
  for (GstClockTime i = 0; i < 5; ++i)
    fail_unless(pipeline.Seek(1.0, i * GST_SECOND, (i + 4) * GST_SECOND));
  fail_unless(pipeline.Seek(1.0, 5 * GST_SECOND, 5 * GST_SECOND + 100 * kMs));
  fail_unless_equals_uint64(pipeline.PlayToEnd().size(), 3);
}
GST_END_TEST

// The base class would stop for ever for a seek that fails.
GST_START_TEST(failed_seek_does_not_stop_the_stream) {
  for (bool seekable : {false, true}) {
    Rig rig;
    g_seekable = seekable;
    gst_pad_set_query_function(rig.harness->srcpad, UpstreamQuery);
    gst_pad_set_event_function(rig.harness->srcpad, RefuseEvent);
    rig.Push(0, 16000);
    rig.Pull(21);
    fail_unless(!SendUpstream(&rig, SeekTo(1.0, GST_SECOND)));
    if (seekable) {  // refused too late: downstream was flushed, and speech starts anew
      rig.PushSegment(0);
      rig.Push(0, 16000);
      fail_unless_equals_uint64(rig.Finish().size(), 25);
    } else {
      fail_unless_equals_uint64(rig.Finish().size(), 4);
    }
  }
}
GST_END_TEST

GST_START_TEST(flush_on_a_file_starts_anew) {
  Rig rig;
  rig.Push(0, 16000);
  std::vector<std::string> before;
  for (const Picture& frame : rig.Pull(21)) before.push_back(frame.checksum);
  rig.Event(gst_event_new_flush_start());
  rig.Event(gst_event_new_flush_stop(TRUE));
  rig.PushSegment(0);
  rig.Push(0, 16000);
  const std::vector<Picture> frames = rig.Finish();
  fail_unless_equals_uint64(frames.size(), 25);
  ExpectTimes(frames, 25, 1);
  for (size_t i = 0; i < 21; ++i) fail_unless(frames[i].checksum == before[i]);
  rig.ExpectStats(46, 0, 0);
}
GST_END_TEST

// Time is not reset: the video clock goes on where it was.
GST_START_TEST(flush_without_reset_keeps_the_clock) {
  Rig rig;
  rig.Push(0, 16000);
  rig.Pull(21);
  rig.Event(gst_event_new_flush_start());
  rig.Event(gst_event_new_flush_stop(FALSE));
  rig.PushSegment(0);
  rig.Push(13440, 16000);  // from 840 ms on
  const std::vector<Picture> frames = rig.Finish();
  fail_unless_equals_uint64(frames.size(), 25);
  ExpectTimes(frames, 25, 1, 21);
}
GST_END_TEST

// 20 frames are due in each round; most of them are not waited for.
GST_START_TEST(flush_while_rendering) {
  RigOptions options;
  options.slow_ms = 200;
  Rig rig(options);
  for (int round = 0; round < 10; ++round) {
    rig.Push(0, 16000);
    rig.Event(gst_event_new_flush_start());
    rig.Event(gst_event_new_flush_stop(TRUE));
    rig.PushSegment(0);
  }
  while (!rig.Quiet()) rig.Pull();  // such as were ready before a flush
  rig.Push(0, 640);
  fail_unless_equals_uint64(rig.Finish().size(), 1);
  fail_unless(rig.Stat("rendered") < 100);
  fail_unless_equals_uint64(rig.Stat("due"),
                            rig.Stat("rendered") + rig.Stat("idle") + rig.Stat("dropped"));
}
GST_END_TEST

GST_START_TEST(position_is_the_end_of_the_last_frame) {
  Rig rig;
  rig.PushSegment(5 * GST_SECOND);
  GstBuffer* audio = Rig::Audio(0, 16000);
  GST_BUFFER_PTS(audio) = 5 * GST_SECOND;
  gst_harness_push(rig.harness, audio);
  rig.Finish();
  gint64 position = 0;
  fail_unless(gst_element_query_position(rig.element, GST_FORMAT_TIME, &position));
  fail_unless_equals_int64(position, 6 * GST_SECOND);
  fail_unless(!gst_element_query_position(rig.element, GST_FORMAT_BYTES, &position));
}
GST_END_TEST

// Upstream knows 160000 bytes: 5 s of 16 kHz mono S16.
GST_START_TEST(duration_and_seeking_are_upstreams) {
  Rig rig;
  g_seekable = TRUE;
  gst_pad_set_query_function(rig.harness->srcpad, UpstreamQuery);
  rig.Push(0, 16000);
  rig.Pull();
  gint64 duration = 0;
  fail_unless(gst_element_query_duration(rig.element, GST_FORMAT_TIME, &duration));
  fail_unless_equals_int64(duration, 5 * GST_SECOND);
  GstQuery* query = gst_query_new_seeking(GST_FORMAT_TIME);
  fail_unless(gst_element_query(rig.element, query));
  gboolean seekable = FALSE;
  gint64 end = 0;
  gst_query_parse_seeking(query, nullptr, &seekable, nullptr, &end);
  fail_unless(seekable && end == 5 * GST_SECOND);
  gst_query_unref(query);
}
GST_END_TEST

static Suite* talkfacegen_seek_suite() {
  PreloadEngine();
  Suite* suite = suite_create("talkfacegen_seek");
  TCase* cases = tcase_create("general");
  suite_add_tcase(suite, cases);
  tcase_add_test(cases, seek_flushes_and_stream_time_is_right);
  tcase_add_test(cases, seek_after_seek_and_after_the_end);
  tcase_add_test(cases, seek_at_double_speed);
  tcase_add_test(cases, backward_seek_is_refused_and_play_goes_on);
  tcase_add_test(cases, seek_while_rendering);
  tcase_add_test(cases, failed_seek_does_not_stop_the_stream);
  tcase_add_test(cases, flush_on_a_file_starts_anew);
  tcase_add_test(cases, flush_without_reset_keeps_the_clock);
  tcase_add_test(cases, flush_while_rendering);
  if (TestSubject().quick) {  // no model has a part in these
    tcase_add_test(cases, position_is_the_end_of_the_last_frame);
    tcase_add_test(cases, duration_and_seeking_are_upstreams);
  }
  return suite;
}

GST_CHECK_MAIN(talkfacegen_seek)
