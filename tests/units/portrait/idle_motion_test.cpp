// SPDX-License-Identifier: MIT
// When auwarp's head, brows and lids move: pure functions of time, seed and emphasis, and the
// emphasis itself.
#include "models/portrait/idle_motion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/speech/emphasis.h"

namespace talkface::auwarp {
namespace {

constexpr uint64_t kFrame = 40'000'000, kMinute = 60'000'000'000;

TEST(HeadPose, StaysWithinItsBoundsAndNeverJumps) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    for (const portrait::Emphasis emphasis :
         {portrait::Emphasis{}, portrait::Emphasis{1, 0}, portrait::Emphasis{1, 1}}) {
      portrait::HeadPose last = portrait::HeadPoseAt(0, seed, emphasis), before = last;
      for (uint64_t frame = 1; frame < 25 * 60; ++frame) {
        const portrait::HeadPose pose = portrait::HeadPoseAt(frame * kFrame, seed, emphasis);
        ASSERT_LE(std::hypot(pose.u, pose.v), 0.02f);
        ASSERT_LE(std::abs(pose.turn), 0.0262f);  // 1.5 degrees
        ASSERT_LE(std::abs(pose.parallax), 0.005f);
        ASSERT_LE(std::abs(pose.brow), 0.012f);
        ASSERT_LE(std::hypot(pose.u - last.u, pose.v - last.v), 0.0015f);
        // Neither position nor speed jumps.
        if (frame > 1) {
          ASSERT_LE(std::abs(pose.u - 2 * last.u + before.u), 2e-4f);
          ASSERT_LE(std::abs(pose.v - 2 * last.v + before.v), 2e-4f);
          ASSERT_LE(std::abs(pose.turn - 2 * last.turn + before.turn), 4e-4f);
        }
        before = last;
        last = pose;
      }
    }
  }
}

// Root mean square speed in face heights a second over ten minutes.
double Speed(uint64_t seed, const portrait::Emphasis& emphasis) {
  double sum = 0;
  constexpr int kFrames = 25 * 600;
  portrait::HeadPose last = portrait::HeadPoseAt(0, seed, emphasis);
  for (int i = 1; i <= kFrames; ++i) {
    const portrait::HeadPose pose =
        portrait::HeadPoseAt(static_cast<uint64_t>(i) * kFrame, seed, emphasis);
    sum += 625 * ((pose.u - last.u) * (pose.u - last.u) + (pose.v - last.v) * (pose.v - last.v));
    last = pose;
  }
  return std::sqrt(sum / kFrames);
}

TEST(HeadPose, IsLivelierWhileSpeaking) {
  for (const uint64_t seed : {0u, 7u, 99u}) {
    const double idle = Speed(seed, {}), speaking = Speed(seed, {1, 0});
    EXPECT_GT(idle, 0.002);
    EXPECT_LT(idle, 0.012);
    EXPECT_GT(speaking, 1.4 * idle);
    EXPECT_LT(speaking, 4 * idle);
  }
}

TEST(HeadPose, IsTheSameForTheSameSeedOnly) {
  const uint64_t time = 5'000'000'000;
  EXPECT_EQ(portrait::HeadPoseAt(time, 1).u, portrait::HeadPoseAt(time, 1).u);
  EXPECT_NE(portrait::HeadPoseAt(time, 1).u, portrait::HeadPoseAt(time, 2).u);
  EXPECT_NE(portrait::HeadPoseAt(time, 1).v, portrait::HeadPoseAt(time + kMinute, 1).v);
}

TEST(HeadPose, StressRaisesTheBrows) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const float rest = portrait::HeadPoseAt(kMinute, seed, {1, 0}).brow;
    const float half = portrait::HeadPoseAt(kMinute, seed, {1, 0.5f}).brow;
    const float full = portrait::HeadPoseAt(kMinute, seed, {1, 1}).brow;
    EXPECT_GT(half, rest + 0.003f);
    EXPECT_GT(full, half + 0.003f);
  }
}

TEST(Blinks, AreEightToTwentyFiveAMinuteAndIrregular) {
  constexpr uint64_t kMinutes = 10;
  int twice = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const std::vector<portrait::Blink> blinks = portrait::BlinksUntil(kMinutes * kMinute, seed);
    std::vector<int> in_minute(kMinutes, 0);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < blinks.size(); ++i) {
      ++in_minute[blinks[i].begin_ns / kMinute];
      EXPECT_GE(blinks[i].length_ns, 100'000'000u);
      EXPECT_LE(blinks[i].length_ns, 300'000'000u);
      if (i == 0) continue;
      ASSERT_GT(blinks[i].begin_ns, blinks[i - 1].begin_ns + blinks[i - 1].length_ns);
      const double pause = 1e-9 * static_cast<double>(blinks[i].begin_ns - blinks[i - 1].begin_ns);
      EXPECT_LT(pause, 11);
      twice += pause < 0.9;
      sum += pause;
      squares += pause * pause;
    }
    for (const int count : in_minute) {
      EXPECT_GE(count, 8) << seed;
      EXPECT_LE(count, 25) << seed;
    }
    const double n = static_cast<double>(blinks.size() - 1), mean = sum / n;
    EXPECT_GT(std::sqrt(squares / n - mean * mean), 0.3 * mean) << seed;
  }
  EXPECT_GT(twice, 300);  // one in ten minutes, at least
}

TEST(Blinks, FallWithinThreeFramesAndRiseMoreSlowly) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    for (const portrait::Blink& blink : portrait::BlinksUntil(kMinute, seed)) {
      uint64_t half_shut = 0, shut = 0, opens = 0, half_open = 0;
      for (uint64_t t = blink.begin_ns; t < blink.begin_ns + blink.length_ns; t += 1'000'000) {
        const float at = portrait::BlinkAt(t, seed);
        ASSERT_EQ(at, blink.At(t));
        if (at >= 0.5f && half_shut == 0) half_shut = t;
        if (at == 1 && shut == 0) shut = t;
        if (at == 1) opens = t;
        if (at >= 0.5f) half_open = t;
      }
      EXPECT_GE(shut - blink.begin_ns, 60'000'000u);
      EXPECT_LE(shut - blink.begin_ns, 3 * kFrame);
      EXPECT_GE(opens - shut, 39'000'000u);  // a frame at 25 a second sees it shut
      EXPECT_GT(half_open - opens, shut - half_shut);
      EXPECT_EQ(portrait::BlinkAt(blink.begin_ns, seed), 0);
      EXPECT_EQ(blink.At(blink.begin_ns + blink.length_ns), 0);
    }
  }
}

TEST(Blinks, AreNotInTheFirstHalfSecond) {
  for (uint64_t seed = 0; seed < 100; ++seed)
    EXPECT_TRUE(portrait::BlinksUntil(500'000'000, seed).empty()) << seed;
}

// Two seconds of even speech, a loud syllable of 0.3 s, 2 s of even speech, silence.
std::vector<speech::SpeechEmphasis> Follow(uint64_t step_ns) {
  std::vector<speech::SpeechEmphasis> all;
  speech::SpeechEmphasis emphasis;
  for (uint64_t t = step_ns; t <= 8'000'000'000; t += step_ns) {
    const bool loud = t > 2'000'000'000 && t <= 2'300'000'000, speech = t <= 4'300'000'000;
    emphasis.Advance(t, speech ? (loud ? 1.0f : 0.55f) : 0.0f, speech ? 1.0f : 0.0f);
    all.push_back(emphasis);
  }
  return all;
}

TEST(SpeechEmphasis, FollowsLoudSyllablesAndSpeechSlowly) {
  const std::vector<speech::SpeechEmphasis> all = Follow(kFrame);
  const auto at = [&](double seconds) { return all[static_cast<size_t>(25 * seconds)]; };
  EXPECT_LT(at(1.9).stress(), 0.2f);
  EXPECT_GT(at(2.45).stress(), 0.45f);
  EXPECT_LT(at(4.2).stress(), 0.2f);
  EXPECT_LT(at(7.9).stress(), 0.01f);
  EXPECT_LT(at(0.1).liveliness(), 0.2f);
  EXPECT_GT(at(2).liveliness(), 0.95f);
  EXPECT_LT(at(7.9).liveliness(), 0.01f);
  for (size_t i = 1; i < all.size(); ++i) {
    EXPECT_LT(std::abs(all[i].stress() - all[i - 1].stress()), 0.12f);
    EXPECT_LT(std::abs(all[i].liveliness() - all[i - 1].liveliness()), 0.06f);
  }
}

TEST(SpeechEmphasis, HardlyDependsOnTheFrameRate) {
  const std::vector<speech::SpeechEmphasis> slow = Follow(kFrame), fast = Follow(kFrame / 2);
  for (size_t i = 0; i < slow.size(); ++i) {
    EXPECT_NEAR(slow[i].stress(), fast[2 * i + 1].stress(), 0.08f);
    EXPECT_NEAR(slow[i].liveliness(), fast[2 * i + 1].liveliness(), 0.08f);
  }
}

TEST(SpeechEmphasis, TheSameTimeTwiceChangesNothing) {
  speech::SpeechEmphasis emphasis;
  emphasis.Advance(kFrame, 1, 1);
  const float before = emphasis.liveliness();
  emphasis.Advance(kFrame, 1, 1);
  EXPECT_EQ(emphasis.liveliness(), before);
}

}  // namespace
}  // namespace talkface::auwarp
