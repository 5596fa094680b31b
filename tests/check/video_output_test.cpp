// SPDX-License-Identifier: MIT
// gst/video_output.h and gst/qos_gate.h: caps, targets, buffers, late frames.
#include "gst/video_output.h"

#include <gst/check/gstcheck.h>

#include <string>

#include "gst/qos_gate.h"

using namespace talkface;

namespace {

std::string Fixated(const char* text, uint32_t width, uint32_t height) {
  GstCaps* caps = FixateVideoCaps(gst_caps_from_string(text), width, height);
  fail_unless(gst_caps_is_fixed(caps));
  GstVideoInfo info;
  fail_unless(gst_video_info_from_caps(&info, caps));
  char* colorimetry = gst_video_colorimetry_to_string(&info.colorimetry);
  char* line = g_strdup_printf(
      "%s %dx%d %d/%d %d/%d %s", gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&info)),
      info.width, info.height, info.fps_n, info.fps_d, info.par_n, info.par_d, colorimetry);
  const std::string result = line;
  g_free(line);
  g_free(colorimetry);
  gst_caps_unref(caps);
  return result;
}

void ExpectFixated(const char* caps, uint32_t width, uint32_t height, const std::string& want) {
  const std::string got = Fixated(caps, width, height);
  fail_unless(got == want, "%s: %s, wanted %s", caps, got.c_str(), want.c_str());
}

TargetFormat Target(const char* text) {
  GstCaps* caps = gst_caps_from_string(text);
  GstVideoInfo info;
  fail_unless(gst_video_info_from_caps(&info, caps));
  gst_caps_unref(caps);
  return TargetOf(info);
}

constexpr const char* kAny =
    "video/x-raw,format={I420,RGBA},width=[1,8192],height=[1,8192],framerate=[1/1,120/1]";

}  // namespace

GST_START_TEST(open_caps_become_the_portraits) {
  ExpectFixated(kAny, 512, 640, "I420 512x640 25/1 1/1 bt709");
  ExpectFixated(kAny, 401, 333, "I420 402x334 25/1 1/1 bt601");
  ExpectFixated(kAny, 1, 1, "I420 2x2 25/1 1/1 bt601");
  ExpectFixated(kAny, 16384, 8192, "I420 8192x4096 25/1 1/1 bt709");
}
GST_END_TEST

GST_START_TEST(one_given_side_keeps_the_shape) {
  ExpectFixated("video/x-raw,format=RGB,width=320,height=[1,8192],framerate=[1/1,120/1]", 500, 1000,
                "RGB 320x640 25/1 1/1 sRGB");
  ExpectFixated("video/x-raw,format=RGB,width=[1,8192],height=100,framerate=[1/1,120/1]", 500, 1000,
                "RGB 50x100 25/1 1/1 sRGB");
}
GST_END_TEST

GST_START_TEST(what_downstream_says_is_kept) {
  ExpectFixated(
      "video/x-raw,format=NV12,width=641,height=[100,200],framerate={30/1,60/1},"
      "pixel-aspect-ratio=12/11,colorimetry=bt709",
      640, 480, "NV12 641x200 30/1 12/11 bt709");
  ExpectFixated(
      "video/x-raw,format=I420,width=64,height=64,framerate=25/1,colorimetry={bt709,bt2020}", 64,
      64, "I420 64x64 25/1 1/1 bt709");
}
GST_END_TEST

GST_START_TEST(large_video_is_bt709_not_bt2020) {
  ExpectFixated("video/x-raw,format=I420,width=3840,height=2160,framerate=25/1", 64, 64,
                "I420 3840x2160 25/1 1/1 bt709");
}
GST_END_TEST

GST_START_TEST(target_follows_the_caps) {
  TargetFormat target = Target(
      "video/x-raw,format=NV12,width=30,height=20,framerate=25/1,colorimetry=bt2020,"
      "chroma-site=dv");
  fail_unless(target.format == PixelFormat::kNV12 && target.width == 30 && target.height == 20);
  fail_unless(target.matrix == ColorMatrix::kBt2020 && !target.full_range);
  fail_unless(target.chroma_site == ChromaSite::kTopLeftCosited);
  target = Target(
      "video/x-raw,format=I420,width=30,height=20,framerate=25/1,colorimetry=1:4:5:1,"
      "chroma-site=jpeg");
  fail_unless(target.full_range && target.matrix == ColorMatrix::kBt601);
  fail_unless(target.chroma_site == ChromaSite::kCentered);
  target = Target(
      "video/x-raw,format=YV12,width=30,height=20,framerate=25/1,colorimetry=smpte240m,"
      "chroma-site=mpeg2");
  fail_unless(target.format == PixelFormat::kYV12 && target.matrix == ColorMatrix::kSmpte240m);
  fail_unless(target.chroma_site == ChromaSite::kLeftCosited);
}
GST_END_TEST

GST_START_TEST(every_format_of_the_template_has_its_target) {
  const struct {
    const char* name;
    PixelFormat format;
  } formats[] = {
      {"I420", PixelFormat::kI420}, {"YV12", PixelFormat::kYV12}, {"NV12", PixelFormat::kNV12},
      {"RGBA", PixelFormat::kRGBA}, {"BGRA", PixelFormat::kBGRA}, {"RGBx", PixelFormat::kRGBx},
      {"BGRx", PixelFormat::kBGRx}, {"RGB", PixelFormat::kRGB},   {"BGR", PixelFormat::kBGR}};
  for (const auto& entry : formats) {
    const std::string caps =
        std::string("video/x-raw,width=8,height=8,framerate=1/1,format=") + entry.name;
    fail_unless(Target(caps.c_str()).format == entry.format, "%s", entry.name);
  }
}
GST_END_TEST

GST_START_TEST(own_pool_where_none_is_offered) {
  GstCaps* caps = gst_caps_from_string("video/x-raw,format=I420,width=17,height=9,framerate=25/1");
  GstVideoInfo info;
  gst_video_info_from_caps(&info, caps);
  GstQuery* query = gst_query_new_allocation(caps, TRUE);
  fail_unless(DecideVideoAllocation(query));
  GstBufferPool* pool = nullptr;
  gst_query_parse_nth_allocation_pool(query, 0, &pool, nullptr, nullptr, nullptr);
  {
    OutputFrame frame;
    fail_unless_equals_int(frame.Acquire(pool, info, true), GST_FLOW_OK);
    const FrameTarget target = frame.Target();
    fail_unless(target.planes[0] != nullptr && target.strides[0] >= 17);
    fail_unless(target.planes[2] != nullptr && target.strides[2] >= 9);
    GstBuffer* buffer = frame.Release();
    fail_unless(gst_buffer_is_writable(buffer));
    gst_buffer_unref(buffer);
  }
  gst_buffer_pool_set_active(pool, FALSE);
  gst_object_unref(pool);
  gst_query_unref(query);
  gst_caps_unref(caps);
}
GST_END_TEST

GST_START_TEST(offered_pool_is_used_and_may_be_empty) {
  GstCaps* caps = gst_caps_from_string("video/x-raw,format=RGB,width=16,height=8,framerate=25/1");
  GstVideoInfo info;
  gst_video_info_from_caps(&info, caps);
  GstQuery* query = gst_query_new_allocation(caps, TRUE);
  GstBufferPool* offered = gst_video_buffer_pool_new();
  gst_query_add_allocation_pool(query, offered, static_cast<guint>(info.size), 1, 2);
  gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  fail_unless(DecideVideoAllocation(query));
  GstBufferPool* pool = nullptr;
  guint max = 0;
  gst_query_parse_nth_allocation_pool(query, 0, &pool, nullptr, nullptr, &max);
  fail_unless(pool == offered);
  fail_unless_equals_int(max, 2);
  {
    OutputFrame a, b, c;
    fail_unless_equals_int(a.Acquire(pool, info, false), GST_FLOW_OK);
    fail_unless_equals_int(b.Acquire(pool, info, false), GST_FLOW_OK);
    fail_unless_equals_int(c.Acquire(pool, info, false), GST_FLOW_EOS);
  }
  gst_buffer_pool_set_active(pool, FALSE);
  gst_object_unref(pool);
  gst_object_unref(offered);
  gst_query_unref(query);
  gst_caps_unref(caps);
}
GST_END_TEST

GST_START_TEST(qos_leaves_a_gap_to_catch_up) {
  QosGate gate;
  const GstClockTime frame = 40 * GST_MSECOND;
  fail_unless_equals_int64(gate.Lateness(0), 0);
  gate.Update({1.5, 100 * GST_MSECOND, GST_SECOND}, false, frame);
  // 1 s + 2 x 100 ms + 40 ms
  fail_unless_equals_int64(gate.Lateness(GST_SECOND), 240 * GST_MSECOND);
  fail_unless(gate.Lateness(1240 * GST_MSECOND) <= 0);
  fail_unless_equals_float(gate.proportion(), 1.5);
  gate.Update({1.5, 5 * GST_SECOND, GST_SECOND}, false, frame);  // never more than a second
  fail_unless_equals_int64(gate.Lateness(GST_SECOND), GST_SECOND + 40 * GST_MSECOND);
  gate.Update({1.5, 100 * GST_MSECOND, GST_SECOND}, true, frame);  // live: the lateness alone
  fail_unless_equals_int64(gate.Lateness(GST_SECOND), 100 * GST_MSECOND);
  gate.Update({0.5, -20 * GST_MSECOND, GST_SECOND}, false, frame);
  fail_unless(gate.Lateness(GST_SECOND) < 0);
  gate.Update({0.5, 0, GST_CLOCK_TIME_NONE}, false, frame);
  fail_unless_equals_int64(gate.Lateness(0), 0);
  gate.Update({1.5, 100 * GST_MSECOND, GST_SECOND}, false, frame);
  gate.Reset();
  fail_unless_equals_int64(gate.Lateness(GST_SECOND), 0);
}
GST_END_TEST

static Suite* video_output_suite() {
  Suite* suite = suite_create("video_output");
  TCase* cases = tcase_create("general");
  suite_add_tcase(suite, cases);
  tcase_add_test(cases, open_caps_become_the_portraits);
  tcase_add_test(cases, one_given_side_keeps_the_shape);
  tcase_add_test(cases, what_downstream_says_is_kept);
  tcase_add_test(cases, large_video_is_bt709_not_bt2020);
  tcase_add_test(cases, target_follows_the_caps);
  tcase_add_test(cases, every_format_of_the_template_has_its_target);
  tcase_add_test(cases, own_pool_where_none_is_offered);
  tcase_add_test(cases, offered_pool_is_used_and_may_be_empty);
  tcase_add_test(cases, qos_leaves_a_gap_to_catch_up);
  return suite;
}

GST_CHECK_MAIN(video_output)
