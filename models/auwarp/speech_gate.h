// SPDX-License-Identifier: MIT
// Is anybody speaking? Loudness against a tracked noise floor, 20 ms at a time: keeps the mouth at
// rest when nobody is.
#pragma once

#include <array>

#include "models/auwarp/speech_net.h"

namespace talkface::auwarp {

// How far the mouth may move, for the frames that each delay of the net speaks of.
struct GateValue {
  std::array<float, kDelays> open;  // 0 (at rest) to 1; opens in 80 ms, 300 ms after the last
                                    // speech closes in 240 ms
  float level;                      // 0..1: -60 to -20 dB re full scale, smoothed
};

class SpeechGate {
 public:
  GateValue Step(float level_db);  // power in the speech band over the step

 private:
  bool first_ = true;
  float smooth_db_ = 0;
  float floor_db_ = -50.0f;     // noise heard so far: falls at once, rises by 3 dB a second
  int since_speech_ = 1 << 20;  // steps
  std::array<float, kDelays> open_{};
};

}  // namespace talkface::auwarp
