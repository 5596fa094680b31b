// SPDX-License-Identifier: MIT
#include "models/speech/fft.h"

#include <cmath>

namespace talkface::auwarp {
namespace {

constexpr int kBits = 8;
struct FftTables {
  std::array<int, kFftSize> reversed;
  std::array<float, kFftSize / 2> cosine, sine;

  FftTables() {
    for (int i = 0; i < kFftSize; ++i) {
      int r = 0;
      for (int bit = 0; bit < kBits; ++bit) r |= ((i >> bit) & 1) << (kBits - 1 - bit);
      reversed[i] = r;
    }
    for (int i = 0; i < kFftSize / 2; ++i) {
      cosine[i] = static_cast<float>(std::cos(2 * kPi * i / kFftSize));
      sine[i] = static_cast<float>(std::sin(2 * kPi * i / kFftSize));
    }
  }
};

const FftTables& SharedFftTables() {
  static const FftTables tables;
  return tables;
}

}  // namespace

int FftPlace(int i) { return SharedFftTables().reversed[i]; }

// Decimation in time.
void Fft(FftBuffer* x) {
  const FftTables& tables = SharedFftTables();
  for (int size = 2; size <= kFftSize; size *= 2) {
    const int half = size / 2, stride = kFftSize / size;
    for (int start = 0; start < kFftSize; start += size) {
      for (int i = 0; i < half; ++i) {
        const float c = tables.cosine[i * stride], s = tables.sine[i * stride];
        const int a = start + i, b = a + half;
        const float re = x->re[b] * c + x->im[b] * s;
        const float im = x->im[b] * c - x->re[b] * s;
        x->re[b] = x->re[a] - re;
        x->im[b] = x->im[a] - im;
        x->re[a] += re;
        x->im[a] += im;
      }
    }
  }
}

}  // namespace talkface::auwarp
