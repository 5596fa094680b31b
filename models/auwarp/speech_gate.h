// SPDX-License-Identifier: MIT
// Is anybody speaking? The voice detector's word, 20 ms at a time, or, without a detector, loudness
// against a tracked noise floor: keeps the mouth at rest when nobody is.
#pragma once

#include <array>

#include "models/auwarp/speech_net.h"

namespace talkface::auwarp {

// How far the mouth may move, for the frames that each delay of the net speaks of.
struct GateValue {
  std::array<float, kDelays> open;  // 0 (at rest) to 1; opens in 80 ms, 500 ms after the last
                                    // voice (300 ms without a detector) closes in 240 ms
  float level;                      // 0..1: -60 to -20 dB re full scale, smoothed
};

class SpeechGate {
 public:
  // `voice`: with a detector, or by loudness alone?
  explicit SpeechGate(bool voice);
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
  int since_voice_;             // steps
  int since_speech_ = 1 << 20;  // steps
  std::array<float, kDelays> open_{};
};

}  // namespace talkface::auwarp
