// SPDX-License-Identifier: MIT
#include "models/training/speech/speech_augment.h"

#include <algorithm>
#include <cmath>

#include "models/training/speech/random.h"

namespace talkface::training {
namespace {

using speech::kMelBands;
constexpr float kLogFloor = -18.420681f;  // ln(1e-8), the front end's
constexpr double kLnPerDb = 0.2302585;
constexpr double kLowMel = 92.7, kMelStep = 65.73;  // of the front end's bands, about

constexpr int kTelephoneFirst = 4, kTelephoneLast = 28;  // bands of 300 and 3400 Hz
constexpr float kTelephoneCut = 7.0f;                    // 30 dB

// Stretches the frequency axis, as a longer or shorter throat does.
void Warp(double factor, Mel* mel) {
  std::array<int, kMelBands> below;
  std::array<float, kMelBands> share;
  for (int b = 0; b < kMelBands; ++b) {
    const double hz = 700 * std::expm1((kLowMel + (b + 1) * kMelStep) / 1127);
    const double place = (1127 * std::log1p(hz * factor / 700) - kLowMel) / kMelStep - 1;
    const double held = std::clamp(place, 0.0, kMelBands - 1.001);
    below[b] = static_cast<int>(held);
    share[b] = static_cast<float>(held - below[b]);
  }
  for (auto& bands : *mel) {
    const auto from = bands;
    for (int b = 0; b < kMelBands; ++b)
      bands[b] = from[below[b]] + share[b] * (from[below[b] + 1] - from[below[b]]);
  }
}

// An exponential tail of power.
void Echo(Random* random, Mel* mel) {
  const float keep = static_cast<float>(std::exp(-13.8 * 0.01 / Uniform(0.15, 0.7, random)));
  const float size = static_cast<float>(Uniform(0.1, 0.6, random)) * (1 - keep);
  std::array<float, kMelBands> tail{};
  for (auto& bands : *mel)
    for (int b = 0; b < kMelBands; ++b) {
      const float power = std::exp(bands[b]);
      bands[b] = std::log(power + size * tail[b]);
      tail[b] = keep * tail[b] + power;
    }
}

double Loudest(const Mel& mel) {
  double loudest = kLogFloor;
  for (const auto& bands : mel)
    loudest = std::max<double>(loudest, *std::max_element(bands.begin(), bands.end()));
  return loudest;
}

void Mix(const Mel& noise, Random* random, Mel* mel) {
  const double below_db = Uniform(3, 30, random);
  const float shift = static_cast<float>(Loudest(*mel) - Loudest(noise) - kLnPerDb * below_db);
  const size_t start = static_cast<size_t>(Uniform(0, 99, random));
  for (size_t t = 0; t < mel->size(); ++t) {
    const auto& other = noise[(start + t) % noise.size()];
    for (int b = 0; b < kMelBands; ++b)
      (*mel)[t][b] = std::log(std::exp((*mel)[t][b]) + std::exp(other[b] + shift));
  }
}

}  // namespace

Microphone DrawMicrophone(Random* random) {
  const double tilt = Uniform(-8, 8, random), bump = Uniform(-6, 6, random);
  const double phase = Uniform(0, 6.28, random), gain = Uniform(-25, 10, random);
  Microphone microphone;
  const bool telephone = Uniform(0, 1, random) < 0.125;
  for (int b = 0; b < kMelBands; ++b) {
    const double x = static_cast<double>(b) / (kMelBands - 1) - 0.5;
    microphone.add[b] =
        static_cast<float>(kLnPerDb * (gain + tilt * x + bump * std::sin(phase + 7 * x)));
    if (telephone && (b < kTelephoneFirst || b > kTelephoneLast))
      microphone.add[b] -= kTelephoneCut;
  }
  return microphone;
}

Mel Augment(const Mel& mel, const Mel& noise, const Microphone& microphone, Random* random) {
  Mel changed = mel;
  Warp(std::exp(Uniform(-0.2, 0.2, random)), &changed);
  if (Uniform(0, 1, random) < 0.15) Echo(random, &changed);
  if (Uniform(0, 1, random) < 0.25) Mix(noise, random, &changed);
  const float loudness = static_cast<float>(kLnPerDb * Uniform(-3, 3, random));
  for (auto& bands : changed)
    for (int b = 0; b < kMelBands; ++b)
      bands[b] = std::max(bands[b] + microphone.add[b] + loudness, kLogFloor);
  return changed;
}

}  // namespace talkface::training
