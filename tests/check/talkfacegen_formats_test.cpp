// SPDX-License-Identifier: MIT
// talkfacegen's caps: every audio and video format, sizes, rates, shapes, and changes of either in
// mid-stream.
#include <gst/audio/audio.h>
#include <gst/check/gstcheck.h>
#include <gst/video/video.h>

#include "tests/check/rig.h"

using namespace talkface::test;

namespace {

std::string Negotiated(const Rig& rig) {
  GstPad* pad = gst_element_get_static_pad(rig.element, "src");
  GstCaps* caps = gst_pad_get_current_caps(pad);
  gst_object_unref(pad);
  fail_unless(caps != nullptr, "nothing was negotiated");
  char* text = gst_caps_to_string(caps);
  const std::string result = text;
  g_free(text);
  gst_caps_unref(caps);
  return result;
}

void ExpectField(const Rig& rig, const char* field) {
  const std::string caps = Negotiated(rig);
  fail_unless(caps.find(field) != std::string::npos, "%s is not in %s", field, caps.c_str());
}

// Does audio of these caps end in an error of flow or on the bus?
bool Refused(const RigOptions& options) {
  Rig rig(options);
  bool refused = false;
  for (uint64_t i = 0; i < 8 && !refused; ++i) refused = rig.Push(i * 16000, 16000) != GST_FLOW_OK;
  return refused && rig.Quiet();
}

void SendCaps(Rig* rig, const char* text) {
  GstCaps* caps = gst_caps_from_string(text);
  rig->Event(gst_event_new_caps(caps));
  gst_caps_unref(caps);
}

std::string AudioCaps(const char* format, int rate, int channels, const char* more) {
  return "audio/x-raw,format=" + std::string(format) + ",rate=" + std::to_string(rate) +
         ",channels=" + std::to_string(channels) + "," + more;
}

// Pushes `ms` of zero bytes from `from_ms` on: silence for signed formats, and any sound otherwise.
void PushBytes(Rig* rig, const char* caps_text, uint64_t from_ms, uint64_t ms) {
  GstCaps* caps = gst_caps_from_string(caps_text);
  GstAudioInfo info;
  fail_unless(gst_audio_info_from_caps(&info, caps), "%s", caps_text);
  gst_caps_unref(caps);
  const uint64_t samples = ms * static_cast<uint64_t>(info.rate) / 1000;
  GstBuffer* buffer =
      gst_buffer_new_allocate(nullptr, samples * static_cast<gsize>(info.bpf), nullptr);
  gst_buffer_memset(buffer, 0, 0, gst_buffer_get_size(buffer));
  if (info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED)
    gst_buffer_add_audio_meta(buffer, &info, samples, nullptr);
  GST_BUFFER_PTS(buffer) = from_ms * GST_MSECOND;
  GST_BUFFER_DURATION(buffer) = ms * GST_MSECOND;
  fail_unless_equals_int(gst_harness_push(rig->harness, buffer), GST_FLOW_OK);
}

}  // namespace

GST_START_TEST(every_audio_format_rate_and_layout) {
  const char* formats[] = {"S8",    "U8",       "S16LE", "S16BE", "U16LE", "S24LE",
                           "S24BE", "S24_32LE", "S32LE", "S32BE", "F32LE", "F32BE",
                           "F64LE", "F64BE",    "S20LE", "S18LE", "U24LE"};
  std::vector<std::string> all;
  for (const char* format : formats)
    all.push_back(AudioCaps(format, 48000, 1, "layout=interleaved"));
  for (int rate : {1000, 8000, 11025, 16000, 22050, 44100, 96000, 192000, 384000})
    all.push_back(AudioCaps("S16LE", rate, 1, "layout=interleaved"));
  all.push_back(AudioCaps("F32LE", 48000, 2, "layout=non-interleaved,channel-mask=(bitmask)0x3"));
  all.push_back(AudioCaps("S16LE", 48000, 6, "layout=interleaved,channel-mask=(bitmask)0x3f"));
  all.push_back(AudioCaps("S16LE", 48000, 8, "layout=interleaved,channel-mask=(bitmask)0xc3f"));
  for (int channels : {2, 3, 64})
    all.push_back(
        AudioCaps("S16LE", 48000, channels, "layout=interleaved,channel-mask=(bitmask)0"));
  for (const std::string& caps : all) {
    RigOptions options;
    options.audio = caps.c_str();
    Rig rig(options);
    for (uint64_t ms = 0; ms < SomeSpeechMs(); ms += 100) PushBytes(&rig, caps.c_str(), ms, 100);
    const std::vector<Picture> frames = rig.Finish();
    fail_unless(frames.size() == SomeSpeechMs() / 40, "%s: %d frames", caps.c_str(),
                static_cast<int>(frames.size()));
    ExpectTimes(frames, 25, 1);
    fail_unless(rig.Poll(GST_MESSAGE_ERROR) == nullptr, "%s", caps.c_str());
  }
}
GST_END_TEST

GST_START_TEST(stereo_is_mixed_not_picked) {
  RigOptions options;
  options.audio =
      "audio/x-raw,format=S16LE,layout=interleaved,rate=16000,channels=2,channel-mask=(bitmask)0x3";
  Rig right(options), silent(options);
  GstBuffer* one_sided = gst_buffer_new_allocate(nullptr, 64000, nullptr);
  gst_buffer_memset(one_sided, 0, 0, 64000);
  GstBuffer* nothing = gst_buffer_copy_deep(one_sided);
  for (uint64_t i = 0; i < 16000; ++i) {
    const int16_t sample = Rig::Sample(i);
    gst_buffer_fill(one_sided, 4 * i + 2, &sample, 2);  // the right channel
  }
  GST_BUFFER_PTS(one_sided) = GST_BUFFER_PTS(nothing) = 0;
  gst_harness_push(right.harness, one_sided);
  gst_harness_push(silent.harness, nothing);
  fail_unless(Checksums(right.Finish()) != Checksums(silent.Finish()));
}
GST_END_TEST

GST_START_TEST(every_video_format) {
  for (const char* format :
       {"I420", "YV12", "NV12", "RGBA", "BGRA", "RGBx", "BGRx", "RGB", "BGR"}) {
    const std::string caps =
        "video/x-raw,width=33,height=31,framerate=25/1,format=" + std::string(format);
    RigOptions options;
    options.video = caps.c_str();
    Rig rig(options);
    rig.Push(0, SomeSpeechMs() * 16);
    const std::vector<Picture> frames = rig.Finish();
    fail_unless_equals_uint64(frames.size(), SomeSpeechMs() / 40);
    GstVideoInfo info;
    gst_video_info_set_format(&info, gst_video_format_from_string(format), 33, 31);
    fail_unless_equals_uint64(frames[0].size, info.size);
    ExpectMotion(frames);
  }
}
GST_END_TEST

GST_START_TEST(sizes_from_one_pixel_to_the_largest) {
  for (const char* size :
       {"width=1,height=1", "width=2,height=3", "width=8192,height=16", "width=16,height=8192"}) {
    const std::string caps = "video/x-raw,format=I420,framerate=5/1," + std::string(size);
    RigOptions options;
    options.video = caps.c_str();
    Rig rig(options);
    rig.Push(0, 16000);
    fail_unless_equals_uint64(rig.Finish().size(), 5);
  }
}
GST_END_TEST

GST_START_TEST(rates_from_one_to_120) {
  const int rates[][2] = {{1, 1}, {3, 2}, {24000, 1001}, {120, 1}};
  for (const auto& rate : rates) {
    const std::string caps =
        "video/x-raw,format=RGB,width=8,height=8,framerate=" + std::to_string(rate[0]) + "/" +
        std::to_string(rate[1]);
    RigOptions options;
    options.video = caps.c_str();
    Rig rig(options);
    const unsigned ms = 2 * SomeSpeechMs();
    rig.Push(0, ms * 16);
    const std::vector<Picture> frames = rig.Finish();
    const guint64 per = 1000 * static_cast<guint64>(rate[1]);
    const guint64 want = (ms * static_cast<guint64>(rate[0]) + per - 1) / per;
    fail_unless_equals_uint64(frames.size(), want);
    ExpectTimes(frames, rate[0], rate[1]);
  }
}
GST_END_TEST

GST_START_TEST(what_cannot_be_made_is_refused) {
  for (const char* caps :
       {"video/x-raw,format=I420,framerate=0/1", "video/x-raw,format=I420,framerate=121/1",
        "video/x-raw,format=I420,framerate=1/2",
        "video/x-raw,format=I420,interlace-mode=interleaved", "video/x-raw,format=I420,width=8193",
        "video/x-raw,format=Y444", "image/jpeg"}) {
    RigOptions options;
    options.video = caps;
    fail_unless(Refused(options), "%s", caps);
  }
}
GST_END_TEST

// Left alone: the portrait's size, 25 frames a second, square pixels, BT.601.
GST_START_TEST(open_caps_become_the_portraits) {
  RigOptions options;
  options.video = "video/x-raw";
  Rig rig(options);
  rig.Push(0, 4800);
  rig.Pull();
  ExpectField(rig, ("width=(int)" + std::to_string(kPortraitWidth)).c_str());
  ExpectField(rig, ("height=(int)" + std::to_string(kPortraitHeight)).c_str());
  for (const char* field :
       {"format=(string)I420", "framerate=(fraction)25/1", "pixel-aspect-ratio=(fraction)1/1",
        "interlace-mode=(string)progressive", "colorimetry=(string)bt601"})
    ExpectField(rig, field);
}
GST_END_TEST

GST_START_TEST(colours_follow_format_and_lines) {
  const char* cases[][2] = {
      {"video/x-raw,format=RGBA,width=16,height=16", "colorimetry=(string)sRGB"},
      {"video/x-raw,format=NV12,width=16,height=576", "colorimetry=(string)bt601"},
      {"video/x-raw,format=NV12,width=16,height=720", "colorimetry=(string)bt709"},
      {"video/x-raw,format=NV12,width=16,height=16,colorimetry=bt2020",
       "colorimetry=(string)bt2020"},
      {"video/x-raw,format=NV12,width=16,height=16,chroma-site=jpeg", "chroma-site=(string)jpeg"},
      {"video/x-raw,format=NV12,pixel-aspect-ratio=16/11", "pixel-aspect-ratio=(fraction)16/11"}};
  for (const auto& entry : cases) {
    RigOptions options;
    options.video = entry[0];
    Rig rig(options);
    rig.Push(0, 4800);
    rig.Pull();
    ExpectField(rig, entry[1]);
  }
}
GST_END_TEST

// Downstream asks for another size: the frames go on, none is lost.
GST_START_TEST(video_caps_change_in_mid_stream) {
  Rig rig;
  rig.Push(0, 16000);
  std::vector<Picture> frames = rig.Pull(21);
  gst_harness_set_sink_caps_str(rig.harness,
                                "video/x-raw,format=RGB,width=64,height=48,framerate=25/1");
  gst_pad_push_event(rig.harness->sinkpad, gst_event_new_reconfigure());
  rig.Push(16000, 16000);
  const std::vector<Picture> rest = rig.Finish();
  fail_unless_equals_uint64(rest[0].size, 64 * 48 * 3);
  frames.insert(frames.end(), rest.begin(), rest.end());
  fail_unless_equals_uint64(frames.size(), 50);
  ExpectTimes(frames, 25, 1);
  rig.ExpectStats(50, 0, 0);
}
GST_END_TEST

// Another frame rate: the next frame keeps its time, and so does the end.
GST_START_TEST(frame_rate_change_in_mid_stream) {
  Rig rig;
  rig.Push(0, 16000);
  std::vector<Picture> frames = rig.Pull(21);  // to 840 ms
  gst_harness_set_sink_caps_str(rig.harness,
                                "video/x-raw,format=RGB,width=16,height=16,framerate=50/1");
  gst_pad_push_event(rig.harness->sinkpad, gst_event_new_reconfigure());
  rig.Push(16000, 16000);
  const std::vector<Picture> rest = rig.Finish();
  fail_unless_equals_uint64(rest.size(), 58);  // 1.16 s at 50
  ExpectTimes(frames, 25, 1);
  ExpectTimes(rest, 50, 1, 0, 840 * GST_MSECOND);
}
GST_END_TEST

// 1 s at 16 kHz, then 1 s at 44.1 kHz stereo, then at 8 kHz: 3 s to the frame.
GST_START_TEST(audio_caps_change_in_mid_stream) {
  RigOptions options;
  options.video = "video/x-raw,format=RGB,width=16,height=16,framerate=30000/1001";
  Rig rig(options);
  rig.PushCut(0, 16000, 777);
  const std::string stereo =
      AudioCaps("F32LE", 44100, 2, "layout=interleaved,channel-mask=(bitmask)0x3");
  SendCaps(&rig, stereo.c_str());
  PushBytes(&rig, stereo.c_str(), 1000, 1000);
  const std::string slow = AudioCaps("U8", 8000, 1, "layout=interleaved");
  SendCaps(&rig, slow.c_str());
  PushBytes(&rig, slow.c_str(), 2000, 1000);
  const std::vector<Picture> frames = rig.Finish();
  fail_unless_equals_uint64(frames.size(), 90);
  ExpectTimes(frames, 30000, 1001);
  rig.ExpectStats(90, 0, 0);
}
GST_END_TEST

static Suite* talkfacegen_formats_suite() {
  PreloadEngine();
  Suite* suite = suite_create("talkfacegen_formats");
  TCase* cases = tcase_create("general");
  suite_add_tcase(suite, cases);
  tcase_add_test(cases, every_video_format);
  tcase_add_test(cases, sizes_from_one_pixel_to_the_largest);
  tcase_add_test(cases, rates_from_one_to_120);
  tcase_add_test(cases, video_caps_change_in_mid_stream);
  tcase_add_test(cases, frame_rate_change_in_mid_stream);
  tcase_add_test(cases, audio_caps_change_in_mid_stream);
  if (TestSubject().quick) {  // no model has a part in these
    tcase_add_test(cases, every_audio_format_rate_and_layout);
    tcase_add_test(cases, stereo_is_mixed_not_picked);
    tcase_add_test(cases, what_cannot_be_made_is_refused);
    tcase_add_test(cases, open_caps_become_the_portraits);
    tcase_add_test(cases, colours_follow_format_and_lines);
  }
  return suite;
}

GST_CHECK_MAIN(talkfacegen_formats)
