// SPDX-License-Identifier: MIT
#include "models/auwarp/idle_motion.h"

#include <algorithm>
#include <cmath>

namespace talkface::auwarp {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// splitmix64 (Steele, Lea and Flood 2014).
uint64_t Hash(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// 0..1 for an index of a stream of random numbers.
double Random(uint64_t seed, uint64_t stream, uint64_t index) {
  return static_cast<double>(Hash(Hash(seed * 64 + stream) ^ index) >> 11) * 0x1.0p-53;
}

// Smooth noise, -1..1, that reaches a new value every `period_ns`.
double Noise(uint64_t time_ns, uint64_t period_ns, uint64_t seed, uint64_t stream) {
  const uint64_t index = time_ns / period_ns;
  const double x = static_cast<double>(time_ns % period_ns) / static_cast<double>(period_ns);
  const double a = 2 * Random(seed, stream, index) - 1, b = 2 * Random(seed, stream, index + 1) - 1;
  return a + (b - a) * x * x * x * (x * (6 * x - 15) + 10);
}

// Slow drift with a little quicker movement on it, -1..1.
double Drift(uint64_t time_ns, uint64_t seed, uint64_t stream) {
  return 0.75 * Noise(time_ns, 3'700'000'000, seed, stream) +
         0.25 * Noise(time_ns, 1'300'000'000, seed, stream + 1);
}

constexpr uint64_t kBlinkSlot = 3'600'000'000;  // one blink in each: 16.7 a minute

}  // namespace

HeadPose HeadPoseAt(uint64_t time_ns, uint64_t seed) {
  constexpr uint64_t kBreath = 4 * kSecond;
  const double breath = static_cast<double>(time_ns % kBreath) / kBreath;
  // In for two fifths of a breath, out for the rest.
  const double rise = breath < 0.4 ? breath / 0.4 : (1 - breath) / 0.6;
  const double lift = rise * rise * (3 - 2 * rise);
  HeadPose pose;
  pose.u = static_cast<float>(0.014 * Drift(time_ns, seed, 0));
  pose.v = static_cast<float>(0.011 * Drift(time_ns, seed, 2) - 0.004 * (lift - 0.5));
  pose.turn = static_cast<float>(0.022 * Drift(time_ns, seed, 4));
  pose.parallax = static_cast<float>(0.005 * Drift(time_ns, seed, 6));
  return pose;
}

float BlinkAt(uint64_t time_ns, uint64_t seed) {
  const uint64_t slot = time_ns / kBlinkSlot;
  const double within = static_cast<double>(time_ns % kBlinkSlot) / kSecond;
  const double length = 0.16 + 0.12 * Random(seed, 9, slot);
  // Anywhere in the slot, but neither at its ends nor in the stream's first half second.
  const double start = 0.5 + 2.7 * Random(seed, 8, slot);
  const double x = (within - start) / length;
  if (x <= 0 || x >= 1) return 0;
  constexpr double kShut = 0.35, kOpens = 0.5;  // falls, rests, rises more slowly
  const double y = x < kShut ? x / kShut : x < kOpens ? 1 : (1 - x) / (1 - kOpens);
  return static_cast<float>(y * y * (3 - 2 * y));
}

}  // namespace talkface::auwarp
