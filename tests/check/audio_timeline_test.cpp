// SPDX-License-Identifier: MIT
// gst/audio_timeline.h: exact counts, places and contents, whatever the buffers were.
#include "gst/audio_timeline.h"

#include <gst/check/gstcheck.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "tests/check/wave.h"

using talkface::AudioBlock;
using talkface::AudioPlace;
using talkface::AudioTimeline;
using talkface::test::Buffer;
using talkface::test::Format;
using talkface::test::Wave;

namespace {

constexpr uint32_t kOut = 16000;

AudioPlace At(int64_t ns, bool discont = false) {
  AudioPlace place;
  place.timed = true;
  place.at_ns = ns;
  place.discont = discont;
  return place;
}

int64_t Ns(uint64_t samples, int rate) {
  return static_cast<int64_t>(
      gst_util_uint64_scale(samples, GST_SECOND, static_cast<guint64>(rate)));
}

void Push(AudioTimeline* timeline, GstBuffer* buffer, const AudioPlace& place) {
  fail_unless(timeline->Push(buffer, place));
  gst_buffer_unref(buffer);
}

std::vector<float> TakeAll(AudioTimeline* timeline) {
  std::vector<float> all;
  AudioBlock block;
  while (timeline->Take(7000, &block)) {
    if (block.samples.empty()) block.samples.assign(static_cast<size_t>(block.silence), 0.0f);
    all.insert(all.end(), block.samples.begin(), block.samples.end());
  }
  return all;
}

std::vector<float> Convert(const GstAudioInfo& info, uint64_t count, uint64_t step,
                           bool timed = true) {
  AudioTimeline timeline(kOut);
  fail_unless(timeline.SetFormat(info));
  for (uint64_t i = 0; i < count; i += step) {
    Push(&timeline, Buffer(info, i, std::min(step, count - i)),
         timed ? At(Ns(i, info.rate)) : AudioPlace());
  }
  timeline.Drain();
  fail_unless_equals_uint64(timeline.Length().samples, count);
  return TakeAll(&timeline);
}

bool Equal(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

float Largest(const std::vector<float>& samples, size_t from, size_t to) {
  float largest = 0;
  for (size_t i = from; i < to; ++i) largest = std::max(largest, std::abs(samples[i]));
  return largest;
}

}  // namespace

GST_START_TEST(every_cut_gives_the_same_bits) {
  for (int rate : {8000, 11025, 16000, 22050, 44100, 48000, 96000}) {
    const auto info = Format(GST_AUDIO_FORMAT_S16, rate, 2);
    const auto count = static_cast<uint64_t>(rate);
    const std::vector<float> whole = Convert(info, count, count);
    fail_unless_equals_uint64(whole.size(), kOut);
    for (uint64_t step : {1, 7, 160, 441, 1024, 4800}) {
      fail_unless(Equal(Convert(info, count, step), whole), "rate %d in steps of %d", rate,
                  static_cast<int>(step));
    }
  }
}
GST_END_TEST

GST_START_TEST(counts_are_exact_to_the_sample) {
  for (int rate : {1, 999, 8000, 11025, 44100, 48000, 192000, 384000}) {
    for (uint64_t count : {1, 2, 47, 1000, 12345}) {
      const auto want =
          gst_util_uint64_scale_round(static_cast<guint64>(Ns(count, rate)), kOut, GST_SECOND);
      if (want > 20 * kOut) continue;
      const auto out = Convert(Format(GST_AUDIO_FORMAT_F32, rate, 1), count, 100);
      fail_unless_equals_uint64(out.size(), want);
    }
  }
}
GST_END_TEST

GST_START_TEST(every_format_means_the_same_sound) {
  const std::vector<float> reference = Convert(Format(GST_AUDIO_FORMAT_F64, 16000, 1), 1600, 100);
  for (size_t i = 0; i < reference.size(); ++i)
    fail_unless(std::abs(reference[i] - static_cast<float>(Wave(i, 16000, 0))) < 1e-6f);
  int formats = 0;
  for (int f = GST_AUDIO_FORMAT_S8; f <= GST_AUDIO_FORMAT_F64BE; ++f) {
    const auto format = static_cast<GstAudioFormat>(f);
    const auto info = Format(format, 16000, 1);
    const std::vector<float> out = Convert(info, 1600, 333);
    fail_unless_equals_uint64(out.size(), reference.size());
    const int depth = info.finfo->depth;
    const float tolerance = depth <= 8 ? 0.01f : depth <= 18 ? 1e-4f : 1e-5f;
    for (size_t i = 0; i < out.size(); ++i) {
      fail_unless(std::abs(out[i] - reference[i]) < tolerance, "%s sample %d: %f, wanted %f",
                  info.finfo->name, static_cast<int>(i), out[i], reference[i]);
    }
    ++formats;
  }
  fail_unless_equals_int(formats, 30);
}
GST_END_TEST

GST_START_TEST(planes_equal_interleaved) {
  for (int channels : {1, 2, 6}) {
    const auto packed = Format(GST_AUDIO_FORMAT_S16, 48000, channels);
    const auto planar =
        Format(GST_AUDIO_FORMAT_S16, 48000, channels, GST_AUDIO_LAYOUT_NON_INTERLEAVED);
    fail_unless(Equal(Convert(packed, 4800, 480), Convert(planar, 4800, 480)));
  }
}
GST_END_TEST

GST_START_TEST(unpositioned_channels_count_alike) {
  for (int channels : {3, 17, 64}) {
    GstAudioInfo info = Format(GST_AUDIO_FORMAT_F32, 16000, channels);
    info.flags = GST_AUDIO_FLAG_UNPOSITIONED;
    for (GstAudioChannelPosition& position : info.position)
      position = GST_AUDIO_CHANNEL_POSITION_NONE;
    AudioTimeline timeline(kOut);
    fail_unless(timeline.SetFormat(info));
    GstBuffer* buffer =
        gst_buffer_new_allocate(nullptr, static_cast<gsize>(info.bpf) * 100, nullptr);
    gst_buffer_memset(buffer, 0, 0, gst_buffer_get_size(buffer));
    const float loud = 1.0f;  // the last channel of every sample
    for (gsize i = 1; i <= 100; ++i)
      gst_buffer_fill(buffer, i * static_cast<gsize>(info.bpf) - sizeof loud, &loud, sizeof loud);
    Push(&timeline, buffer, At(0));
    const std::vector<float> out = TakeAll(&timeline);
    fail_unless_equals_uint64(out.size(), 100);
    for (float sample : out)
      fail_unless(std::abs(sample - 1.0f / static_cast<float>(channels)) < 1e-5f);
  }
}
GST_END_TEST

GST_START_TEST(untimed_buffers_follow_each_other) {
  const auto info = Format(GST_AUDIO_FORMAT_S16, 48000, 1);
  fail_unless(Equal(Convert(info, 4800, 100, false), Convert(info, 4800, 100, true)));
}
GST_END_TEST

GST_START_TEST(hole_becomes_silence) {
  for (int rate : {16000, 48000}) {
    const auto info = Format(GST_AUDIO_FORMAT_S16, rate, 1);
    const auto later = static_cast<uint64_t>(rate);
    AudioTimeline timeline(kOut);
    timeline.SetFormat(info);
    Push(&timeline, Buffer(info, 0, later), At(0));
    Push(&timeline, Buffer(info, 3 * later, later), At(3 * GST_SECOND));
    timeline.Drain();
    const std::vector<float> out = TakeAll(&timeline);
    fail_unless_equals_uint64(out.size(), 4 * kOut);
    fail_unless(Largest(out, 0, kOut) > 0.39f);
    fail_unless_equals_float(Largest(out, kOut, 3 * kOut), 0.0f);
    fail_unless(Largest(out, 3 * kOut, 4 * kOut) > 0.39f);
  }
}
GST_END_TEST

GST_START_TEST(first_buffer_late_means_silence_before_it) {
  const auto info = Format(GST_AUDIO_FORMAT_S16, 16000, 1);
  AudioTimeline timeline(kOut);
  timeline.SetFormat(info);
  Push(&timeline, Buffer(info, 0, 1600), At(20 * GST_MSECOND));  // jitter only later on
  const std::vector<float> out = TakeAll(&timeline);
  fail_unless_equals_uint64(out.size(), 320 + 1600);
  fail_unless_equals_float(Largest(out, 0, 320), 0.0f);
}
GST_END_TEST

GST_START_TEST(overlap_is_dropped) {
  const auto info = Format(GST_AUDIO_FORMAT_S16, 48000, 1);
  const std::vector<float> whole = Convert(info, 96000, 96000);
  AudioTimeline timeline(kOut);
  timeline.SetFormat(info);
  Push(&timeline, Buffer(info, 0, 48000), At(0));
  Push(&timeline, Buffer(info, 24000, 12000), At(GST_SECOND / 2));  // known whole
  Push(&timeline, Buffer(info, 24000, 72000), At(GST_SECOND / 2));  // known in part
  timeline.Drain();
  fail_unless(Equal(TakeAll(&timeline), whole));
}
GST_END_TEST

GST_START_TEST(jitter_is_contiguous) {
  const auto info = Format(GST_AUDIO_FORMAT_S16, 48000, 1);
  AudioTimeline timeline(kOut);
  timeline.SetFormat(info);
  for (uint64_t i = 0; i < 100; ++i) {
    const int64_t jitter = (static_cast<int64_t>(i * 7919 % 79) - 39) * 1'000'000;
    Push(&timeline, Buffer(info, i * 480, 480), At(i == 0 ? 0 : Ns(i * 480, 48000) + jitter));
  }
  timeline.Drain();
  fail_unless(Equal(TakeAll(&timeline), Convert(info, 48000, 480)));
}
GST_END_TEST

GST_START_TEST(discont_and_resync_take_the_time_exactly) {
  const auto info = Format(GST_AUDIO_FORMAT_S16, 16000, 1);
  for (bool resync : {false, true}) {
    AudioTimeline timeline(kOut);
    timeline.SetFormat(info);
    Push(&timeline, Buffer(info, 0, 1600), At(0));
    if (resync) timeline.Resync();
    Push(&timeline, Buffer(info, 1920, 1600), At(Ns(1920, 16000), !resync));
    fail_unless_equals_uint64(TakeAll(&timeline).size(), 1920 + 1600);
  }
}
GST_END_TEST

GST_START_TEST(segment_clips_to_the_sample) {
  const auto info = Format(GST_AUDIO_FORMAT_S16, 16000, 1);
  AudioTimeline timeline(kOut);
  timeline.SetFormat(info);
  AudioPlace place = At(-Ns(100, 16000));
  place.stop_ns = static_cast<uint64_t>(Ns(1000, 16000));
  Push(&timeline, Buffer(info, 0, 50), place);  // before the start, whole
  Push(&timeline, Buffer(info, 0, 2000), place);
  Push(&timeline, Buffer(info, 0, 2000), place);  // after the stop, whole
  const std::vector<float> out = TakeAll(&timeline);
  fail_unless_equals_uint64(out.size(), 1000);
  fail_unless(std::abs(out[0] - static_cast<float>(Wave(100, 16000, 0))) < 1e-4f);
  fail_unless_equals_uint64(timeline.Length().samples, 1000);
}
GST_END_TEST

GST_START_TEST(gaps_are_silence_of_their_length) {
  const auto info = Format(GST_AUDIO_FORMAT_U8, 44100, 2);
  AudioTimeline timeline(kOut);
  timeline.SetFormat(info);
  GstBuffer* flagged = Buffer(info, 0, 441);
  GST_BUFFER_FLAG_SET(flagged, GST_BUFFER_FLAG_GAP);
  Push(&timeline, flagged, At(0));
  AudioPlace place = At(10 * GST_MSECOND);
  place.duration_ns = 90 * GST_MSECOND;
  Push(&timeline, gst_buffer_new(), place);
  const std::vector<float> out = TakeAll(&timeline);
  fail_unless_equals_uint64(out.size(), 1600);
  fail_unless_equals_float(Largest(out, 0, out.size()), 0.0f);
  fail_unless_equals_uint64(timeline.PositionNs(), 100 * GST_MSECOND);
}
GST_END_TEST

GST_START_TEST(gap_before_any_format) {
  AudioTimeline timeline(kOut);
  AudioPlace place = At(0);
  place.duration_ns = GST_SECOND;
  Push(&timeline, gst_buffer_new(), place);
  fail_unless_equals_uint64(TakeAll(&timeline).size(), kOut);
  GstBuffer* samples = gst_buffer_new_allocate(nullptr, 4, nullptr);
  fail_unless(!timeline.Push(samples, At(GST_SECOND)));
  gst_buffer_unref(samples);
}
GST_END_TEST

GST_START_TEST(format_change_loses_no_sample) {
  AudioTimeline timeline(kOut);
  const auto early = Format(GST_AUDIO_FORMAT_S16, 44100, 2);
  const auto later = Format(GST_AUDIO_FORMAT_F32, 8000, 1);
  timeline.SetFormat(early);
  Push(&timeline, Buffer(early, 0, 44101), At(0));
  timeline.SetFormat(later);
  Push(&timeline, Buffer(later, 0, 8000), At(Ns(44101, 44100)));
  timeline.Drain();
  fail_unless_equals_uint64(TakeAll(&timeline).size(), 2 * kOut);
  fail_unless_equals_uint64(timeline.Length().base_ns, static_cast<uint64_t>(Ns(44101, 44100)));
  fail_unless_equals_uint64(timeline.Length().samples, 8000);
}
GST_END_TEST

GST_START_TEST(the_same_format_again_changes_nothing) {
  const auto info = Format(GST_AUDIO_FORMAT_S16, 44100, 1);
  AudioTimeline timeline(kOut);
  for (uint64_t i = 0; i < 10; ++i) {
    timeline.SetFormat(info);
    Push(&timeline, Buffer(info, i * 441, 441), At(Ns(i * 441, 44100)));
  }
  timeline.Drain();
  fail_unless(Equal(TakeAll(&timeline), Convert(info, 4410, 4410)));
}
GST_END_TEST

GST_START_TEST(rewind_forgets_and_continues_there) {
  const auto info = Format(GST_AUDIO_FORMAT_S16, 48000, 1);
  AudioTimeline timeline(kOut);
  timeline.SetFormat(info);
  Push(&timeline, Buffer(info, 0, 48000), At(0));
  timeline.Rewind(GST_SECOND / 2);
  fail_unless(!timeline.HasOutput());
  fail_unless_equals_uint64(timeline.PositionNs(), GST_SECOND / 2);
  Push(&timeline, Buffer(info, 0, 4800), At(GST_SECOND));
  timeline.Drain();
  const std::vector<float> out = TakeAll(&timeline);
  fail_unless_equals_uint64(out.size(), 8000 + 1600);
  std::vector<float> tail(out.begin() + 8000, out.end());
  fail_unless(Equal(tail, Convert(info, 4800, 4800)), "speech from before sounds on");
}
GST_END_TEST

GST_START_TEST(nan_and_infinity_do_not_spread) {
  const auto info = Format(GST_AUDIO_FORMAT_F32, 48000, 1);
  AudioTimeline timeline(kOut);
  timeline.SetFormat(info);
  const float bad[] = {std::numeric_limits<float>::quiet_NaN(),
                       std::numeric_limits<float>::infinity(), 1e38f};
  GstBuffer* buffer = gst_buffer_new_memdup(bad, sizeof bad);
  Push(&timeline, buffer, At(0));
  Push(&timeline, Buffer(info, 3, 48000), At(Ns(3, 48000)));
  timeline.Drain();
  const std::vector<float> out = TakeAll(&timeline);
  fail_unless_equals_uint64(out.size(), kOut + 1);
  for (size_t i = 200; i < out.size(); ++i) fail_unless(std::abs(out[i]) < 0.5f);
}
GST_END_TEST

GST_START_TEST(delay_is_that_of_the_resampler) {
  AudioTimeline timeline(kOut);
  timeline.SetFormat(Format(GST_AUDIO_FORMAT_S16, 16000, 1));
  fail_unless_equals_uint64(timeline.DelayNs(), 0);
  const auto info = Format(GST_AUDIO_FORMAT_S16, 48000, 1);
  timeline.SetFormat(info);
  const uint64_t delay = timeline.DelayNs();
  fail_unless(delay > 0 && delay < 10 * GST_MSECOND);
  // What came more than the delay ago is out.
  for (uint64_t i = 0; i < 1000; ++i) Push(&timeline, Buffer(info, i * 13, 13), AudioPlace());
  const uint64_t in_ns = static_cast<uint64_t>(Ns(13000, 48000));
  const uint64_t out_ns = static_cast<uint64_t>(Ns(TakeAll(&timeline).size(), kOut));
  fail_unless(out_ns + delay >= in_ns && out_ns <= in_ns);
}
GST_END_TEST

static Suite* audio_timeline_suite() {
  Suite* suite = suite_create("audio_timeline");
  TCase* cases = tcase_create("general");
  suite_add_tcase(suite, cases);
  tcase_add_test(cases, every_cut_gives_the_same_bits);
  tcase_add_test(cases, counts_are_exact_to_the_sample);
  tcase_add_test(cases, every_format_means_the_same_sound);
  tcase_add_test(cases, planes_equal_interleaved);
  tcase_add_test(cases, unpositioned_channels_count_alike);
  tcase_add_test(cases, untimed_buffers_follow_each_other);
  tcase_add_test(cases, hole_becomes_silence);
  tcase_add_test(cases, first_buffer_late_means_silence_before_it);
  tcase_add_test(cases, overlap_is_dropped);
  tcase_add_test(cases, jitter_is_contiguous);
  tcase_add_test(cases, discont_and_resync_take_the_time_exactly);
  tcase_add_test(cases, segment_clips_to_the_sample);
  tcase_add_test(cases, gaps_are_silence_of_their_length);
  tcase_add_test(cases, gap_before_any_format);
  tcase_add_test(cases, format_change_loses_no_sample);
  tcase_add_test(cases, the_same_format_again_changes_nothing);
  tcase_add_test(cases, rewind_forgets_and_continues_there);
  tcase_add_test(cases, nan_and_infinity_do_not_spread);
  tcase_add_test(cases, delay_is_that_of_the_resampler);
  return suite;
}

GST_CHECK_MAIN(audio_timeline)
