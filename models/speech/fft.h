// SPDX-License-Identifier: MIT
// The Fourier transform that the speech part's spectra are made of.
#pragma once

#include <array>

namespace talkface::auwarp {

constexpr int kFftSize = 256;
constexpr double kPi = 3.14159265358979323846;

// Complex numbers, real and imaginary parts apart.
struct FftBuffer {
  std::array<float, kFftSize> re, im;
};

// Where sample i must be put before Fft: i with its bits reversed.
int FftPlace(int i);

// In place: samples at FftPlace(0), FftPlace(1) ... become bins 0, 1 ... (sum of x e^-i2 pi kn/N).
void Fft(FftBuffer* x);

}  // namespace talkface::auwarp
