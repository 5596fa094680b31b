// SPDX-License-Identifier: MIT
// The Fourier transform that all spectra of speech are made of.
#pragma once

#include <array>
#include <cmath>

namespace talkface::speech {

constexpr double kPi = 3.14159265358979323846;

// Of kSize complex numbers (a power of two), radix 2, decimation in time.
template <typename Real, int kSize>
class Fft {
  static_assert(kSize > 1 && (kSize & (kSize - 1)) == 0);

 public:
  // Real and imaginary parts apart.
  struct Buffer {
    std::array<Real, kSize> re, im;
  };

  // Where sample i must be put before Run: i with its bits reversed.
  static int Place(int i) { return SharedTables().reversed[i]; }

  // In place: samples at Place(0), Place(1) ... become bins 0, 1 ... (sum of x e^-i2 pi kn/N).
  static void Run(Buffer* x) {
    const Tables& tables = SharedTables();
    for (int size = 2; size <= kSize; size *= 2) {
      const int half = size / 2, stride = kSize / size;
      for (int start = 0; start < kSize; start += size) {
        for (int i = 0; i < half; ++i) {
          const Real c = tables.cosine[i * stride], s = tables.sine[i * stride];
          const int a = start + i, b = a + half;
          const Real re = x->re[b] * c + x->im[b] * s;
          const Real im = x->im[b] * c - x->re[b] * s;
          x->re[b] = x->re[a] - re;
          x->im[b] = x->im[a] - im;
          x->re[a] += re;
          x->im[a] += im;
        }
      }
    }
  }

 private:
  struct Tables {
    std::array<int, kSize> reversed;
    std::array<Real, kSize / 2> cosine, sine;

    Tables() {
      for (int i = 0; i < kSize; ++i) {
        int r = 0;
        for (int low = 1, high = kSize / 2; high > 0; low *= 2, high /= 2)
          r |= (i & low) ? high : 0;
        reversed[i] = r;
      }
      for (int i = 0; i < kSize / 2; ++i) {
        cosine[i] = static_cast<Real>(std::cos(2 * kPi * i / kSize));
        sine[i] = static_cast<Real>(std::sin(2 * kPi * i / kSize));
      }
    }
  };

  static const Tables& SharedTables() {
    static const Tables tables;
    return tables;
  }
};

}  // namespace talkface::speech
