// SPDX-License-Identifier: MIT
#include "models/speech/emphasis.h"

#include <algorithm>
#include <cmath>

namespace talkface::speech {
namespace {

// Time constants in seconds.
constexpr double kSyllable = 0.15, kMean = 3.0, kStress = 0.14, kLiveliness = 0.3;
constexpr float kVoiced = 0.3f;  // levels below it are pauses
// Of the level over its mean: where stress begins, and how much more is full stress.
constexpr float kStandsOut = 0.04f, kStressSpan = 0.22f;

}  // namespace

void SpeechEmphasis::Advance(uint64_t time_ns, float level, float voice) {
  if (time_ns <= time_ns_) return;
  const double seconds = 1e-9 * static_cast<double>(time_ns - time_ns_);
  time_ns_ = time_ns;
  const auto follow = [seconds](float* value, float target, double constant) {
    *value += (target - *value) * static_cast<float>(1 - std::exp(-seconds / constant));
  };
  follow(&level_, level * voice, kSyllable);
  if (level > kVoiced) follow(&mean_level_, level, kMean);
  const float over = std::clamp((level_ - mean_level_ - kStandsOut) / kStressSpan, 0.0f, 1.0f);
  follow(&stress_once_, over, kStress);
  follow(&stress_, stress_once_, kStress);
  follow(&liveliness_once_, voice, kLiveliness);
  follow(&liveliness_, liveliness_once_, kLiveliness);
}

}  // namespace talkface::speech
