// SPDX-License-Identifier: MIT
#include "models/speech/log_mel.h"

#include <algorithm>
#include <cmath>

#include "models/speech/fft.h"

namespace talkface::speech {
namespace {

constexpr int kHalf = kMelFft / 2;  // points of the complex transform that does the real one
using Transform = Fft<float, kHalf>;
constexpr int kBins = kHalf + 1;
constexpr float kFloor = 1e-8f;
constexpr double kLowHz = 60, kHighHz = 7600, kLevelLowHz = 300, kLevelHighHz = 4000;
constexpr float kMaxSample = 4.0f;

double MelOfHz(double hz) { return 1127.0 * std::log1p(hz / 700.0); }

// Everything that does not depend on the audio.
struct MelTables {
  std::array<float, kMelWindow> window;           // Hann, scaled so that power means the signal's
  std::array<float, kHalf> split_cos, split_sin;  // that part the real one's bins
  struct Band {
    int first;
    std::vector<float> weights;
  };
  std::array<Band, kMelBands> bands;
  int level_first, level_last;  // bands of the level

  MelTables() {
    double power = 0;
    for (int i = 0; i < kMelWindow; ++i) {
      const double hann = 0.5 - 0.5 * std::cos(2 * kPi * (i + 0.5) / kMelWindow);
      window[i] = static_cast<float>(hann);
      power += hann * hann;
    }
    // |X|^2 summed over the bins of one side is half of N x sum(w^2) x variance.
    const double scale = std::sqrt(2.0 / (kMelFft * power));
    for (float& w : window) w = static_cast<float>(w * scale);
    for (int i = 0; i < kHalf; ++i) {
      split_cos[i] = static_cast<float>(std::cos(2 * kPi * i / kMelFft));
      split_sin[i] = static_cast<float>(std::sin(2 * kPi * i / kMelFft));
    }
    MakeBands();
    const double low = MelOfHz(kLowHz), step = (MelOfHz(kHighHz) - low) / (kMelBands + 1);
    level_first = static_cast<int>(std::lround((MelOfHz(kLevelLowHz) - low) / step)) - 1;
    level_last = static_cast<int>(std::lround((MelOfHz(kLevelHighHz) - low) / step)) - 1;
  }

  void MakeBands() {
    const double low = MelOfHz(kLowHz);
    const double step = (MelOfHz(kHighHz) - low) / (kMelBands + 1);
    for (int b = 0; b < kMelBands; ++b) {
      Band& band = bands[b];
      band.first = -1;
      for (int bin = 1; bin < kHalf; ++bin) {
        const double hz = static_cast<double>(bin) * kSpeechRateHz / kMelFft;
        const double place = (MelOfHz(hz) - low) / step - b;  // 0, 1, 2: foot, top, foot
        const double weight = 1 - std::abs(place - 1);
        if (weight <= 0) continue;
        if (band.first < 0) band.first = bin;
        band.weights.push_back(static_cast<float>(weight));
      }
      if (band.first < 0) {  // narrower than a bin: the nearest one
        const double hz = 700.0 * std::expm1((low + (b + 1) * step) / 1127.0);
        band.first = static_cast<int>(std::lround(hz * kMelFft / kSpeechRateHz));
        band.weights.push_back(1.0f);
      }
    }
  }
};

const MelTables& SharedMelTables() {
  static const MelTables tables;
  return tables;
}

// Power of bins 0 to 256 of the window: even samples as real, odd ones as imaginary parts of a
// transform of half the size, then parted.
void PowerSpectrum(const MelTables& tables, const std::array<float, kMelWindow>& samples,
                   std::array<float, kBins>* power) {
  Transform::Buffer x;
  for (int i = 0; i < kHalf; ++i) {
    const int from = 2 * i, to = Transform::Place(i);
    const bool inside = from < kMelWindow;
    x.re[to] = inside ? samples[from] * tables.window[from] : 0.0f;
    x.im[to] = inside ? samples[from + 1] * tables.window[from + 1] : 0.0f;
  }
  Transform::Run(&x);
  (*power)[0] = (x.re[0] + x.im[0]) * (x.re[0] + x.im[0]);
  (*power)[kHalf] = (x.re[0] - x.im[0]) * (x.re[0] - x.im[0]);
  for (int k = 1; k < kHalf; ++k) {
    const int m = kHalf - k;
    const float even_re = 0.5f * (x.re[k] + x.re[m]), even_im = 0.5f * (x.im[k] - x.im[m]);
    const float odd_re = 0.5f * (x.im[k] + x.im[m]), odd_im = 0.5f * (x.re[m] - x.re[k]);
    const float c = tables.split_cos[k], s = tables.split_sin[k];
    const float re = even_re + odd_re * c + odd_im * s;
    const float im = even_im + odd_im * c - odd_re * s;
    (*power)[k] = re * re + im * im;
  }
}

}  // namespace

MelFrame SpeechFrontEnd::Push(const float* hop) {
  const MelTables& tables = SharedMelTables();
  std::copy(window_.begin() + kMelHop, window_.end(), window_.begin());
  for (int i = 0; i < kMelHop; ++i) {
    const float sample = std::isfinite(hop[i]) ? std::clamp(hop[i], -kMaxSample, kMaxSample) : 0.0f;
    window_[kMelWindow - kMelHop + i] = sample;
  }
  std::array<float, kBins> power;
  PowerSpectrum(tables, window_, &power);
  MelFrame frame;
  float level = 0;
  for (int b = 0; b < kMelBands; ++b) {
    const MelTables::Band& band = tables.bands[b];
    float sum = 0;
    for (size_t i = 0; i < band.weights.size(); ++i) sum += band.weights[i] * power[band.first + i];
    frame.bands[b] = std::log(sum + kFloor);
    if (b >= tables.level_first && b <= tables.level_last) level += sum;
  }
  frame.level_db = 10.0f * std::log10(level + kFloor);
  return frame;
}

float LevelOfBands(const std::array<float, kMelBands>& bands) {
  const MelTables& tables = SharedMelTables();
  float level = 0;
  for (int b = tables.level_first; b <= tables.level_last; ++b)
    level += std::exp(bands[b]) - kFloor;
  return 10.0f * std::log10(std::max(level, 0.0f) + kFloor);
}

namespace {

constexpr int kMeanFrames = 300;  // 3 s
constexpr int kStartFrames = 50;  // half a second
constexpr float kMelScale = 0.4f;

}  // namespace

RunningMean::RunningMean(const float* typical) : frames_(kStartFrames) {
  std::copy(typical, typical + kMelBands, mean_.begin());
}

void RunningMean::Apply(const MelFrame& frame, float* out) {
  if (frame.level_db > kMeanGateDb) {
    frames_ = std::min(frames_ + 1, kMeanFrames);
    const float share = 1.0f / static_cast<float>(frames_);
    for (int b = 0; b < kMelBands; ++b) mean_[b] += share * (frame.bands[b] - mean_[b]);
  }
  for (int b = 0; b < kMelBands; ++b) out[b] = (frame.bands[b] - mean_[b]) * kMelScale;
}

}  // namespace talkface::speech
