// SPDX-License-Identifier: MIT
// Samples to log-mel bands, 160 samples (10 ms) at a time, with carried state: the same bits
// whatever pieces the audio came in.
#pragma once

#include <array>
#include <vector>

namespace talkface::speech {

constexpr int kSpeechRateHz = 16000;
constexpr int kMelHop = 160;     // samples between frames
constexpr int kMelWindow = 400;  // samples a frame sees; the last one is the hop's last
constexpr int kMelFft = 512;
constexpr int kMelBands = 40;  // triangles of equal width on the mel scale, 60 to 7600 Hz

struct MelFrame {
  // ln(power + 1e-8) of each band; a full-scale sine has a power of about 0.5.
  std::array<float, kMelBands> bands;
  float level_db;  // power of the bands from 300 to 4000 Hz, dB re full scale, -80 for silence
};

// The level of bands that were changed after the front end (the trainer does).
float LevelOfBands(const std::array<float, kMelBands>& bands);

// Frames before the first sample see silence. Not finite samples count as 0, larger ones than 4
// as 4.
class SpeechFrontEnd {
 public:
  MelFrame Push(const float* hop);  // [kMelHop]

 private:
  std::array<float, kMelWindow> window_{};  // the last samples, oldest first
};

// Takes out of the bands what stays: speaker, microphone and gain. A mean per band over the last
// 3 s, that starts from a typical speaker's as if heard for half a second; silence (below
// kMeanGateDb) does not count.
class RunningMean {
 public:
  explicit RunningMean(const float* typical);  // [kMelBands]
  // `out` [kMelBands] gets (bands - mean) x 0.4, which is about 1 in spread.
  void Apply(const MelFrame& frame, float* out);

 private:
  std::array<float, kMelBands> mean_;
  int frames_;  // heard so far, the start's included
};

constexpr float kMeanGateDb = -70.0f;

}  // namespace talkface::speech
