// SPDX-License-Identifier: MIT
// What head and brows need to know of speech: how lively the speaker is, and which syllables stand
// out. Both change slowly, whatever the speech does.
#pragma once

#include <cstdint>

namespace talkface::speech {

// One stream's state; follows frames in the order of their times.
class SpeechEmphasis {
 public:
  // `level` (AuwarpControls) and `voice`, 0 (nobody speaks) to 1, hold from the time before up to
  // `time_ns`.
  void Advance(uint64_t time_ns, float level, float voice);

  // 0..1: louder than this speaker has been of late.
  float stress() const { return stress_; }
  // 0 (silent) to 1 (has been speaking for a second).
  float liveliness() const { return liveliness_; }

 private:
  uint64_t time_ns_ = 0;
  float mean_level_ = 0.5f;  // of what was said in the last seconds
  float level_ = 0;          // of the syllable
  // Each smoothed twice, so that its speed does not jump either.
  float stress_once_ = 0, stress_ = 0;
  float liveliness_once_ = 0, liveliness_ = 0;
};

}  // namespace talkface::speech
