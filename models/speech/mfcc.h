// SPDX-License-Identifier: MIT
// Speech to mel-frequency cepstral coefficients, as the official preprocessing makes them
// (docs/mftfg.md has the formulae). 16 kHz, 16-bit samples, unscaled; everything in double.
//
// A column is made of 400 samples (25 ms) and 12 numbers long; a new one starts every 160 samples
// (10 ms): column k has samples 160 k to 160 k + 399. Coefficient 0 is left out, so the columns do
// not depend on loudness, and those of digital silence are zeros.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace talkface::speech {

constexpr int kMfccRate = 16000;
constexpr size_t kMfccFrame = 400, kMfccStep = 160, kMfccFft = 512;
constexpr size_t kMfccBins = kMfccFft / 2 + 1;
constexpr size_t kMfccFilters = 13;
constexpr size_t kMfccCoefficients = 12;
// What one video frame hears: coefficients 1 to 12 of 25 columns.
constexpr int64_t kMfccRows = kMfccCoefficients;
constexpr int64_t kMfccColumns = 25;

using MfccColumn = std::array<double, kMfccCoefficients>;

// The stages, and their tables.
namespace mfcc {
using Frame = std::array<double, kMfccFrame>;
using Spectrum = std::array<double, kMfccBins>;
using FilterEnergies = std::array<double, kMfccFilters>;

double PreEmphasise(double sample, double before);     // sample - 0.97 before
Frame Window(const double* emphasised);                // times a symmetric Hamming window
Spectrum Magnitudes(const Frame& windowed);            // |DFT| of the frame and zeros after it
FilterEnergies LogEnergies(const Spectrum& spectrum);  // ln of the filters' sums
MfccColumn Cepstrum(const FilterEnergies& energies);   // DCT, lifter, without row 0

// Triangles over 300 to 3700 Hz, equally spaced in mel, at exact bin frequencies.
const std::array<Spectrum, kMfccFilters>& FilterBank();
const std::array<FilterEnergies, kMfccFilters>& Dct();  // [coefficient][filter]
const FilterEnergies& Lifter();
}  // namespace mfcc

// The columns of a whole recording: 1 for up to 400 samples (zeros after them), else
// ceil((n - 400) / 160), which is what samples can fill less the last if it just fits.
std::vector<MfccColumn> Mfcc(const std::vector<int16_t>& samples);

// The same columns out of speech that comes in pieces: equal to the bit, whatever the pieces.
class MfccStream {
 public:
  // Appends each column that the samples complete. Samples are -1..1 (more is clipped, what is not
  // finite counts as 0) and are rounded to 16 bits, which recordings have.
  void Push(const float* samples, size_t count, std::vector<MfccColumn>* columns);
  void Reset() { *this = MfccStream(); }

 private:
  std::array<double, kMfccFrame> emphasised_{};  // the next column's first samples
  size_t held_ = 0;                              // how many of them
  bool started_ = false;
  double before_ = 0;  // the last sample
};

// The first of the 25 columns that a frame at `time_ns` hears; column first + 12 is centred within
// 5 ms of the frame's time. Negative near the beginning: columns before 0 are zeros.
int64_t FirstColumnAt(uint64_t time_ns);
// The samples after which all 25 are complete.
uint64_t SamplesNeededAt(uint64_t time_ns);

// Columns first..first + 24 as the networks take them: [12 x 25], a row after the other, zeros
// where `columns` has none. `columns` starts with column `begin`.
std::vector<float> MfccWindow(const std::vector<MfccColumn>& columns, int64_t begin, int64_t first);

}  // namespace talkface::speech
