// SPDX-License-Identifier: MIT
// Is anybody speaking? The voice detector's word, 20 ms at a time, or, without a detector, loudness
// against a tracked noise floor: keeps the mouth at rest when nobody is.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace talkface::speech {

constexpr int kGateStepMs = 20;
constexpr size_t kMostGateDelays = 8;

// How far the mouth may move, for frames that lie back by each of the gate's delays.
struct GateValue {
  // By delay, 0 (at rest) to 1; opens in 80 ms, closes in 200 ms: 0.2 s after the last voice, 1.2 s
  // after it where it is quiet.
  std::array<float, kMostGateDelays> open;
  bool heard;   // has this stream had a voice yet?
  float level;  // 0..1: -60 to -20 dB re full scale, smoothed
};

class SpeechGate {
 public:
  // `voice`: with a detector, or by loudness alone? `delays_ms`: of the answers that are gated, at
  // most kMostGateDelays.
  SpeechGate(bool voice, std::vector<int> delays_ms);
  // `level_db` is the power in the speech band over the step, `voice` the probability that a voice
  // is in it (without a detector of no account).
  GateValue Step(float level_db, float voice);

 private:
  bool HearsSpeech(float voice);

  bool first_ = true;
  float smooth_db_ = 0;
  float floor_db_ = -50.0f;  // noise heard so far: falls at once, rises by 3 dB a second
  const bool has_voice_;
  bool voice_ = false;          // by the last step
  bool heard_ = false;          // a voice, ever
  int since_voice_ = 0;         // steps
  int since_speech_ = 1 << 20;  // steps
  const std::vector<int> delays_ms_;
  std::array<float, kMostGateDelays> open_{};
};

}  // namespace talkface::speech
