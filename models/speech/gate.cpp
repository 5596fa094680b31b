// SPDX-License-Identifier: MIT
#include "models/speech/gate.h"

#include <algorithm>
#include <utility>

#include "models/core/falloff.h"

namespace talkface::speech {
namespace {

constexpr float kSmooth = 0.3f;           // share of a new step in the smoothed level
constexpr float kRiseDb = 3.0f / 50;      // of the noise floor, a step
constexpr float kQuietestDb = -75.0f;     // the floor goes no lower
constexpr float kLeastSpeechDb = -65.0f;  // quieter is no speech
constexpr float kOverFloorDb = 5.0f;      // speech stands out by this much
constexpr float kSilenceDb = -78.0f;      // with a detector only silence needs no asking
constexpr float kVoiceBegins = 0.5f, kVoiceEnds = 0.35f;  // probabilities
// What is this quiet is no music and no noise: there lips may begin before the voice and go on
// after it.
constexpr float kQuietDb = -60.0f;
constexpr int kQuietHangMs = 1000;
constexpr int kHangMs = 180;
constexpr float kOpenStep = 0.25f, kCloseStep = 1.0f / 10;
constexpr float kLevelLowDb = -60.0f, kLevelSpanDb = 40.0f;
constexpr int kForever = 1 << 20;

}  // namespace

SpeechGate::SpeechGate(bool voice, std::vector<int> delays_ms)
    : has_voice_(voice), delays_ms_(std::move(delays_ms)) {}

bool SpeechGate::HearsSpeech(float voice) {
  floor_db_ = std::max(kQuietestDb, std::min(smooth_db_, floor_db_ + kRiseDb));
  if (!has_voice_) return smooth_db_ > kLeastSpeechDb && smooth_db_ > floor_db_ + kOverFloorDb;
  voice_ = voice > (voice_ ? kVoiceEnds : kVoiceBegins);
  since_voice_ = voice_ ? 0 : std::min(since_voice_ + 1, kForever);
  heard_ = heard_ || voice_;
  const bool lips_only = smooth_db_ < kQuietDb && since_voice_ * kGateStepMs <= kQuietHangMs;
  return smooth_db_ > kSilenceDb && (voice_ || lips_only);
}

GateValue SpeechGate::Step(float level_db, float voice) {
  smooth_db_ = first_ ? level_db : smooth_db_ + kSmooth * (level_db - smooth_db_);
  first_ = false;
  const bool speech = HearsSpeech(voice);
  since_speech_ = speech ? 0 : std::min(since_speech_ + 1, kForever);
  GateValue value{};
  value.heard = heard_ || !has_voice_;
  for (size_t d = 0; d < delays_ms_.size(); ++d) {
    // The delayed outputs speak of a time that lies back: their gate must hang on for as long.
    const bool hold = since_speech_ * kGateStepMs <= kHangMs + delays_ms_[d];
    open_[d] = hold ? std::min(1.0f, open_[d] + kOpenStep) : std::max(0.0f, open_[d] - kCloseStep);
    value.open[d] = SmoothStep(open_[d]);
  }
  value.level = std::clamp((smooth_db_ - kLevelLowDb) / kLevelSpanDb, 0.0f, 1.0f);
  return value;
}

}  // namespace talkface::speech
