// SPDX-License-Identifier: MIT
// gst/frame_clock.h: frame times and how many frames a length of audio has.
#include "gst/frame_clock.h"

#include <gst/check/gstcheck.h>

#include <initializer_list>

using talkface::AudioLength;
using talkface::FrameClock;

namespace {

uint64_t FramesIn(const AudioLength& length, int numerator, int denominator) {
  FrameClock clock;
  clock.SetRate(numerator, denominator);
  while (clock.Covered(length)) clock.Advance();
  return clock.Number();
}

}  // namespace

GST_START_TEST(times_are_scaled_never_added) {
  FrameClock clock;
  clock.SetRate(30000, 1001);
  for (guint64 n = 0; n < 200000; ++n) {
    const guint64 at = gst_util_uint64_scale(n, GST_SECOND * 1001, 30000);
    fail_unless_equals_uint64(clock.Offset(), at);
    fail_unless_equals_uint64(clock.End(), gst_util_uint64_scale(n + 1, GST_SECOND * 1001, 30000));
    fail_unless_equals_uint64(clock.Number(), n);
    clock.Advance();
  }
}
GST_END_TEST

// ceil(D x rate), in exact arithmetic: frames x den x rate_hz against samples x num.
GST_START_TEST(length_gives_ceil_of_duration_times_rate) {
  const int rates[][2] = {{24000, 1001}, {25, 1}, {30000, 1001}, {50, 1},
                          {60, 1},       {1, 1},  {120, 1}};
  for (const auto& rate : rates) {
    for (uint32_t hz : {8000u, 11025u, 16000u, 44100u, 48000u, 96000u, 384000u}) {
      for (uint64_t samples : {0u, 1u, 799u, 800u, 801u, 1601u, 16016u, 48048u, 480000u}) {
        const uint64_t per = static_cast<uint64_t>(rate[1]) * hz;
        const uint64_t want = (samples * static_cast<uint64_t>(rate[0]) + per - 1) / per;
        fail_unless_equals_uint64(FramesIn({0, samples, hz}, rate[0], rate[1]), want);
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(length_of_several_formats_adds_up) {
  // 1 s in nanoseconds and 1 s in samples: 2 s.
  fail_unless_equals_uint64(FramesIn({GST_SECOND, 48000, 48000}, 25, 1), 50);
  fail_unless_equals_uint64(FramesIn({GST_SECOND, 48001, 48000}, 25, 1), 51);
}
GST_END_TEST

GST_START_TEST(hours_do_not_overflow) {
  FrameClock clock;
  clock.SetRate(60000, 1001);
  const guint64 day = 24 * 3600 * GST_SECOND;
  clock.JumpTo(100 * day);
  fail_unless(clock.Offset() <= 100 * day && clock.End() > 100 * day);
  fail_unless(clock.Covered({100 * day, 384000, 384000}));
  fail_unless(!clock.Covered({99 * day, 384000, 384000}));
}
GST_END_TEST

GST_START_TEST(rate_change_keeps_the_next_frame) {
  FrameClock clock;
  clock.SetRate(30000, 1001);
  for (int i = 0; i < 7; ++i) clock.Advance();
  const guint64 at = clock.Offset();
  clock.SetRate(50, 1);
  fail_unless_equals_uint64(clock.Offset(), at);
  fail_unless_equals_uint64(clock.Number(), 7);
  clock.Advance();
  fail_unless_equals_uint64(clock.Offset(), at + 20 * GST_MSECOND);
  fail_unless_equals_uint64(clock.Period(), 20 * GST_MSECOND);
}
GST_END_TEST

GST_START_TEST(jump_lands_on_the_frame_of_that_moment) {
  FrameClock clock;
  clock.SetRate(24000, 1001);
  for (guint64 n = 1; n < 3000; n += 7) {
    FrameClock jumper = clock;
    const guint64 at = gst_util_uint64_scale(n, GST_SECOND * 1001, 24000);
    fail_unless_equals_uint64(jumper.JumpTo(at), n);
    fail_unless_equals_uint64(jumper.Offset(), at);
    jumper = clock;
    fail_unless_equals_uint64(jumper.JumpTo(at - 1), n - 1);
    fail_unless_equals_uint64(jumper.JumpTo(0), 0);
    fail_unless_equals_uint64(jumper.Number(), n - 1);
  }
}
GST_END_TEST

GST_START_TEST(restart_begins_at_zero_with_the_same_rate) {
  FrameClock clock;
  clock.SetRate(50, 1);
  clock.Advance();
  clock.SetRate(30, 1);
  clock.Restart();
  fail_unless_equals_uint64(clock.Offset(), 0);
  fail_unless_equals_uint64(clock.Number(), 0);
  fail_unless_equals_uint64(clock.End(), gst_util_uint64_scale(1, GST_SECOND, 30));
}
GST_END_TEST

static Suite* frame_clock_suite() {
  Suite* suite = suite_create("frame_clock");
  TCase* cases = tcase_create("general");
  suite_add_tcase(suite, cases);
  tcase_add_test(cases, times_are_scaled_never_added);
  tcase_add_test(cases, length_gives_ceil_of_duration_times_rate);
  tcase_add_test(cases, length_of_several_formats_adds_up);
  tcase_add_test(cases, hours_do_not_overflow);
  tcase_add_test(cases, rate_change_keeps_the_next_frame);
  tcase_add_test(cases, jump_lands_on_the_frame_of_that_moment);
  tcase_add_test(cases, restart_begins_at_zero_with_the_same_rate);
  return suite;
}

GST_CHECK_MAIN(frame_clock)
