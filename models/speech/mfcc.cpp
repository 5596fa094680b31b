// SPDX-License-Identifier: MIT
#include "models/speech/mfcc.h"

#include <algorithm>
#include <cmath>

#include "models/speech/fft.h"

namespace talkface::speech {
namespace mfcc {
namespace {

constexpr double kEmphasis = 0.97;
constexpr double kLowHz = 300, kHighHz = 3700;
constexpr double kLifterPeriod = 22;
constexpr double kNoEnergy = 2.220446049250313e-16;  // stands for zero

double Mel(double hz) { return 2595 * std::log10(1 + hz / 700); }
double Hertz(double mel) { return 700 * (std::pow(10, mel / 2595) - 1); }

Frame MakeHamming() {
  Frame window{};
  for (size_t i = 0; i < kMfccFrame; ++i)
    window[i] = 0.54 - 0.46 * std::cos(2 * kPi * static_cast<double>(i) / (kMfccFrame - 1));
  return window;
}

// Both slopes include their ends; at the peak itself the filter is 1.
double Triangle(double hz, double low, double peak, double high) {
  if (hz >= peak && hz <= high) return (high - hz) / (high - peak);
  if (hz >= low && hz <= peak) return (hz - low) / (peak - low);
  return 0;
}

std::array<Spectrum, kMfccFilters> MakeFilterBank() {
  std::array<double, kMfccFilters + 2> edges{};
  const double low = Mel(kLowHz), step = (Mel(kHighHz) - low) / (kMfccFilters + 1);
  for (size_t i = 0; i < edges.size(); ++i) edges[i] = Hertz(low + step * static_cast<double>(i));
  std::array<Spectrum, kMfccFilters> bank{};
  for (size_t f = 0; f < kMfccFilters; ++f) {
    for (size_t k = 0; k < kMfccBins; ++k) {
      const double hz = static_cast<double>(k) * kMfccRate / kMfccFft;
      bank[f][k] = Triangle(hz, edges[f], edges[f + 1], edges[f + 2]);
    }
  }
  return bank;
}

std::array<FilterEnergies, kMfccFilters> MakeDct() {
  std::array<FilterEnergies, kMfccFilters> dct{};
  for (size_t n = 0; n < kMfccFilters; ++n) {
    for (size_t k = 0; k < kMfccFilters; ++k) {
      const double angle = kPi * static_cast<double>(n) * (static_cast<double>(k) + 0.5);
      dct[n][k] = std::sqrt(2.0 / kMfccFilters) * std::cos(angle / kMfccFilters);
    }
  }
  return dct;
}

FilterEnergies MakeLifter() {
  FilterEnergies lifter{};
  for (size_t n = 0; n < kMfccFilters; ++n) {
    lifter[n] = 1 + kLifterPeriod / 2 * std::sin(kPi * static_cast<double>(n) / kLifterPeriod);
  }
  return lifter;
}

}  // namespace

const std::array<Spectrum, kMfccFilters>& FilterBank() {
  static const std::array<Spectrum, kMfccFilters> bank = MakeFilterBank();
  return bank;
}

const std::array<FilterEnergies, kMfccFilters>& Dct() {
  static const std::array<FilterEnergies, kMfccFilters> dct = MakeDct();
  return dct;
}

const FilterEnergies& Lifter() {
  static const FilterEnergies lifter = MakeLifter();
  return lifter;
}

double PreEmphasise(double sample, double before) { return sample - kEmphasis * before; }

Frame Window(const double* emphasised) {
  static const Frame hamming = MakeHamming();
  Frame windowed{};
  for (size_t i = 0; i < kMfccFrame; ++i) windowed[i] = emphasised[i] * hamming[i];
  return windowed;
}

Spectrum Magnitudes(const Frame& windowed) {
  using Transform = Fft<double, static_cast<int>(kMfccFft)>;
  Transform::Buffer x{};
  for (size_t i = 0; i < kMfccFrame; ++i)
    x.re[static_cast<size_t>(Transform::Place(static_cast<int>(i)))] = windowed[i];
  Transform::Run(&x);
  Spectrum magnitudes{};
  for (size_t k = 0; k < kMfccBins; ++k) magnitudes[k] = std::hypot(x.re[k], x.im[k]);
  return magnitudes;
}

FilterEnergies LogEnergies(const Spectrum& spectrum) {
  FilterEnergies energies{};
  for (size_t f = 0; f < kMfccFilters; ++f) {
    double sum = 0;
    for (size_t k = 0; k < kMfccBins; ++k) sum += FilterBank()[f][k] * spectrum[k];
    energies[f] = std::log(sum == 0 ? kNoEnergy : sum);
  }
  return energies;
}

MfccColumn Cepstrum(const FilterEnergies& energies) {
  MfccColumn column{};
  for (size_t n = 1; n < kMfccFilters; ++n) {
    double sum = 0;
    for (size_t k = 0; k < kMfccFilters; ++k) sum += Dct()[n][k] * energies[k];
    column[n - 1] = Lifter()[n] * sum;
  }
  return column;
}

}  // namespace mfcc

namespace {

constexpr float kFullScale = 32768.0f;
constexpr uint64_t kSecond = 1'000'000'000;

MfccColumn ColumnOf(const double* emphasised) {
  return mfcc::Cepstrum(mfcc::LogEnergies(mfcc::Magnitudes(mfcc::Window(emphasised))));
}

double SixteenBits(float sample) {
  if (!std::isfinite(sample)) return 0;
  return std::clamp(std::nearbyint(sample * kFullScale), -kFullScale, kFullScale - 1);
}

}  // namespace

std::vector<MfccColumn> Mfcc(const std::vector<int16_t>& samples) {
  const size_t beyond = samples.size() > kMfccFrame ? samples.size() - kMfccFrame : 1;
  const size_t count = (beyond + kMfccStep - 1) / kMfccStep;
  std::vector<double> emphasised(std::max(samples.size(), kMfccFrame), 0.0);
  for (size_t i = 0; i < samples.size(); ++i)
    emphasised[i] = i == 0 ? samples[0] : mfcc::PreEmphasise(samples[i], samples[i - 1]);
  std::vector<MfccColumn> columns;
  for (size_t k = 0; k < count; ++k) columns.push_back(ColumnOf(&emphasised[k * kMfccStep]));
  return columns;
}

void MfccStream::Push(const float* samples, size_t count, std::vector<MfccColumn>* columns) {
  for (size_t i = 0; i < count; ++i) {
    const double sample = SixteenBits(samples[i]);
    emphasised_[held_++] = started_ ? mfcc::PreEmphasise(sample, before_) : sample;
    started_ = true;
    before_ = sample;
    if (held_ < kMfccFrame) continue;
    columns->push_back(ColumnOf(emphasised_.data()));
    std::copy(emphasised_.begin() + kMfccStep, emphasised_.end(), emphasised_.begin());
    held_ -= kMfccStep;
  }
}

// Column k is centred at 10 k + 12.5 ms. Rounded in half milliseconds, so that all is whole.
int64_t FirstColumnAt(uint64_t time_ns) {
  constexpr int64_t kStepNs = static_cast<int64_t>(kMfccStep * kSecond / kMfccRate);
  constexpr int64_t kCentreNs = static_cast<int64_t>(kMfccFrame / 2 * kSecond / kMfccRate);
  const int64_t shifted = static_cast<int64_t>(time_ns) - kCentreNs + kStepNs / 2;
  const int64_t nearest = shifted >= 0 ? shifted / kStepNs : -((kStepNs - 1 - shifted) / kStepNs);
  return nearest - kMfccColumns / 2;
}

uint64_t SamplesNeededAt(uint64_t time_ns) {
  const int64_t last = FirstColumnAt(time_ns) + kMfccColumns - 1;
  return static_cast<uint64_t>(last) * kMfccStep + kMfccFrame;
}

std::vector<float> MfccWindow(const std::vector<MfccColumn>& columns, int64_t begin,
                              int64_t first) {
  std::vector<float> window(kMfccRows * kMfccColumns, 0.0f);
  for (int64_t c = 0; c < kMfccColumns; ++c) {
    const int64_t at = first + c - begin;
    if (at < 0 || at >= static_cast<int64_t>(columns.size())) continue;
    for (int64_t row = 0; row < kMfccRows; ++row)
      window[row * kMfccColumns + c] = static_cast<float>(columns[at][row]);
  }
  return window;
}

}  // namespace talkface::speech
