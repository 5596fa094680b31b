// SPDX-License-Identifier: MIT
#include "models/portrait/idle_motion.h"

#include <algorithm>
#include <cmath>

namespace talkface::portrait {
namespace {

constexpr double kSecond = 1e9;

// splitmix64 (Steele, Lea and Flood 2014).
uint64_t Hash(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// Independent streams of random numbers; noise takes one for each of its periods.
enum Stream : uint64_t {
  kBlinkBegin,
  kBlinkLength,
  kBlinkNumber,
  kBlinkSecond,
  kBreath,
  kIdle = 8,
  kSpeaking = 24,
};

// 0..1 for an index of a stream.
double Random(uint64_t seed, uint64_t stream, uint64_t index) {
  return static_cast<double>(Hash(Hash(seed * 64 + stream) ^ index) >> 11) * 0x1.0p-53;
}

// Smooth noise, -1..1 and mostly within a half: a cubic B-spline through random numbers that are
// `period` seconds apart. Its speed and acceleration never jump, and it nowhere comes to a stop.
double Noise(uint64_t time_ns, double period, uint64_t seed, uint64_t stream) {
  const double place =
      static_cast<double>(time_ns) / (kSecond * period) + Random(seed, stream, ~uint64_t{0});
  const double begin = std::floor(place), x = place - begin, y = 1 - x;
  const double weights[4] = {y * y * y, 4 - 6 * x * x + 3 * x * x * x,
                             4 - 6 * y * y + 3 * y * y * y, x * x * x};
  double sum = 0;
  for (uint64_t k = 0; k < 4; ++k)
    sum += weights[k] / 6 * (2 * Random(seed, stream, static_cast<uint64_t>(begin) + k) - 1);
  return sum;
}

// The movement of a head that has nothing to do, and what speaking adds, both -1..1. Periods are
// no multiples of each other: the movement does not repeat.
double Idle(uint64_t time_ns, uint64_t seed, uint64_t axis) {
  return 0.7 * Noise(time_ns, 2.9, seed, kIdle + 2 * axis) +
         0.3 * Noise(time_ns, 1.3, seed, kIdle + 2 * axis + 1);
}
double Speaking(uint64_t time_ns, uint64_t seed, uint64_t axis) {
  return 0.65 * Noise(time_ns, 0.83, seed, kSpeaking + 2 * axis) +
         0.35 * Noise(time_ns, 0.47, seed, kSpeaking + 2 * axis + 1);
}

// -0.5..0.5: in for two fifths of a breath, out for the rest; about four seconds each.
double Breath(uint64_t time_ns, uint64_t seed) {
  const double count =
      static_cast<double>(time_ns) / (4.1 * kSecond) + 0.3 * Noise(time_ns, 9, seed, kBreath) + 1;
  const double x = count - std::floor(count);
  const double rise = x < 0.4 ? x / 0.4 : (1 - x) / 0.6;
  return rise * rise * (3 - 2 * rise) - 0.5;
}

// Bends values so that they never reach `limit`; small ones are left as they are.
double Within(double limit, double size) {
  return 1 / std::sqrt(1 + size * size / (limit * limit));
}

// Blinks come from slots of the media time: one in each, at times a second soon after in an even
// slot, at times none in an odd one. So every minute has between 8 and 25.
constexpr uint64_t kSlotNs = 3'600'000'000;
constexpr double kTwice = 0.14, kNone = 0.25;

int BlinksInSlot(uint64_t slot, uint64_t seed, Blink (&blinks)[2]) {
  const double number = Random(seed, kBlinkNumber, slot);
  if (slot % 2 == 1 && number < kNone) return 0;
  const auto length = [&](uint64_t nth) {
    return 0.22 + 0.07 * Random(seed, kBlinkLength, 2 * slot + nth);
  };
  // Anywhere in the slot, but neither at its ends nor in the stream's first half second.
  const double begin = 0.5 + 2.7 * Random(seed, kBlinkBegin, slot);
  const auto at = [&](double seconds) {
    return slot * kSlotNs + static_cast<uint64_t>(seconds * kSecond);
  };
  blinks[0] = {at(begin), static_cast<uint64_t>(length(0) * kSecond)};
  const double second = begin + length(0) + 0.1 + 0.4 * Random(seed, kBlinkSecond, slot);
  const bool fits = second + length(1) < 1e-9 * static_cast<double>(kSlotNs);
  if (slot % 2 == 1 || number > kTwice || !fits) return 1;
  blinks[1] = {at(second), static_cast<uint64_t>(length(1) * kSecond)};
  return 2;
}

}  // namespace

HeadPose HeadPoseAt(uint64_t time_ns, uint64_t seed, const Emphasis& emphasis) {
  const double lively = emphasis.liveliness, stress = emphasis.stress;
  const auto mixed = [&](uint64_t axis, double idle, double speaking) {
    return idle * Idle(time_ns, seed, axis) + lively * speaking * Speaking(time_ns, seed, axis);
  };
  const double u = mixed(0, 0.015, 0.011);
  const double v = mixed(1, 0.012, 0.011) - 0.004 * Breath(time_ns, seed) - 0.002 * lively * stress;
  const double shift = Within(0.02, std::hypot(u, v));
  const double turn = mixed(2, 0.024, 0.022), parallax = mixed(3, 0.006, 0.004);
  const double brow = 0.0015 * Idle(time_ns, seed, 4) + 0.009 * stress;
  HeadPose pose;
  pose.u = static_cast<float>(u * shift);
  pose.v = static_cast<float>(v * shift);
  pose.turn = static_cast<float>(turn * Within(0.026, turn));
  pose.parallax = static_cast<float>(parallax * Within(0.005, parallax));
  pose.brow = static_cast<float>(brow);
  return pose;
}

float Blink::At(uint64_t time_ns) const {
  if (time_ns <= begin_ns || time_ns >= begin_ns + length_ns) return 0;
  const double x = static_cast<double>(time_ns - begin_ns) / static_cast<double>(length_ns);
  // Shut for a frame at 25 a second, so that every blink is seen to close.
  constexpr double kShut = 0.35, kOpens = 0.54;
  const double y = x < kShut ? x / kShut : x < kOpens ? 1 : (1 - x) / (1 - kOpens);
  return static_cast<float>(y * y * (3 - 2 * y));
}

std::vector<Blink> BlinksUntil(uint64_t until_ns, uint64_t seed) {
  std::vector<Blink> all;
  for (uint64_t slot = 0; slot * kSlotNs < until_ns; ++slot) {
    Blink blinks[2];
    const int count = BlinksInSlot(slot, seed, blinks);
    for (int i = 0; i < count; ++i)
      if (blinks[i].begin_ns < until_ns) all.push_back(blinks[i]);
  }
  return all;
}

float BlinkAt(uint64_t time_ns, uint64_t seed) {
  Blink blinks[2];
  const int count = BlinksInSlot(time_ns / kSlotNs, seed, blinks);
  float shut = 0;
  for (int i = 0; i < count; ++i) shut = std::max(shut, blinks[i].At(time_ns));
  return shut;
}

}  // namespace talkface::portrait
