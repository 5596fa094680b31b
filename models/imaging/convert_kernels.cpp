// SPDX-License-Identifier: MIT
#include "models/imaging/convert_kernels.h"

#include <algorithm>
#include <cstring>

#include "models/imaging/simd.h"

namespace talkface::imaging {
namespace {

uint8_t Clamp8(int32_t value) { return static_cast<uint8_t>(std::min(255, std::max(0, value))); }

#ifdef TALKFACE_HAVE_AVX2

TALKFACE_AVX2 __m256i Broadcast4(const int16_t* weights) {
  int64_t bits;
  std::memcpy(&bits, weights, sizeof bits);
  return _mm256_set1_epi64x(bits);
}

TALKFACE_AVX2 __m256i LoadBytes(const uint8_t* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

TALKFACE_AVX2 __m256i LoadWords(const int16_t* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

// 16 pixels a round; returns how many are done.
TALKFACE_AVX2 int LumaRowAvx2(const uint8_t* rgbx, int count, const YuvWeights& weights,
                              uint8_t* luma) {
  const __m256i zero = _mm256_setzero_si256(), w = Broadcast4(weights.y);
  const __m256i bias = _mm256_set1_epi32(weights.y_bias);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5);
  int i = 0;
  for (; i + 16 <= count; i += 16) {
    __m256i y[2];
    for (int half = 0; half < 2; ++half) {
      const __m256i p = LoadBytes(rgbx + 4 * (i + 8 * half));
      const __m256i low = _mm256_madd_epi16(_mm256_unpacklo_epi8(p, zero), w);
      const __m256i high = _mm256_madd_epi16(_mm256_unpackhi_epi8(p, zero), w);
      y[half] = _mm256_srai_epi32(_mm256_add_epi32(_mm256_hadd_epi32(low, high), bias), 15);
    }
    const __m256i words = _mm256_packs_epi32(y[0], y[1]);
    const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(words, words), order);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(luma + i), _mm256_castsi256_si128(bytes));
  }
  return i;
}

// Sums of chroma samples 0, 2 | 1, 3 of the eight pixels at `sums`.
TALKFACE_AVX2 __m256i GatherChroma(const int16_t* sums, bool cosited) {
  const __m256i a = LoadWords(sums), b = LoadWords(sums + 16);
  const __m256i even = _mm256_unpacklo_epi64(a, b), odd = _mm256_unpackhi_epi64(a, b);
  if (!cosited) return _mm256_add_epi16(even, odd);
  const __m256i before = _mm256_unpacklo_epi64(LoadWords(sums - 4), LoadWords(sums + 12));
  return _mm256_add_epi16(_mm256_add_epi16(even, even), _mm256_add_epi16(before, odd));
}

// 8 chroma samples a round; returns how many are done.
TALKFACE_AVX2 int ChromaRowAvx2(const int16_t* sums, int count, const ChromaFilter& filter,
                                const YuvWeights& weights, uint8_t* u, uint8_t* v) {
  const __m256i wu = Broadcast4(weights.u), wv = Broadcast4(weights.v);
  const int shift = 15 + filter.shift;
  const __m256i bias = _mm256_set1_epi32((128 << shift) + (1 << (shift - 1)));
  const __m128i shift_by = _mm_cvtsi32_si128(shift);
  // A lane holds U0 U2 V0 V2 U1 U3 V1 V3: samples are put in order.
  const __m256i order = _mm256_setr_epi8(0, 4, 1, 5, 2, 6, 3, 7, 0, 4, 1, 5, 2, 6, 3, 7, 0, 4, 1, 5,
                                         2, 6, 3, 7, 0, 4, 1, 5, 2, 6, 3, 7);
  int i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256i uv[2];
    for (int half = 0; half < 2; ++half) {
      const __m256i sum = GatherChroma(sums + 8 * (i + 4 * half), filter.cosited);
      const __m256i both =
          _mm256_hadd_epi32(_mm256_madd_epi16(sum, wu), _mm256_madd_epi16(sum, wv));
      uv[half] = _mm256_sra_epi32(_mm256_add_epi32(both, bias), shift_by);
    }
    // Low lane: U0 U2 V0 V2 U4 U6 V4 V6, high lane: the odd ones.
    const __m256i words = _mm256_packs_epi32(uv[0], uv[1]);
    const __m256i lanes = _mm256_permute4x64_epi64(words, 0xD8);
    const __m256i bytes = _mm256_shuffle_epi8(_mm256_packus_epi16(lanes, lanes), order);
    const int64_t first = _mm256_extract_epi64(bytes, 0), second = _mm256_extract_epi64(bytes, 2);
    std::memcpy(u + i, &first, 4);
    std::memcpy(u + i + 4, &second, 4);
    const int64_t first_v = first >> 32, second_v = second >> 32;
    std::memcpy(v + i, &first_v, 4);
    std::memcpy(v + i + 4, &second_v, 4);
  }
  return i;
}

// Drops every fourth byte, 4 pixels a round, in RGB or BGR order. Writes 4 bytes past what it
// returns, so the last pixels are left to the caller.
TALKFACE_AVX2 int PackThreeAvx2(const uint8_t* rgba, int count, bool swap, uint8_t* out) {
  const __m128i rgb = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
  const __m128i bgr = _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
  const __m128i order = swap ? bgr : rgb;
  int i = 0;
  for (; i + 6 <= count; i += 4) {
    const __m128i p = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rgba + 4 * i));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 3 * i), _mm_shuffle_epi8(p, order));
  }
  return i;
}

#endif  // TALKFACE_HAVE_AVX2

void PackFour(const uint8_t* rgba, int count, bool swap, uint32_t opaque, uint8_t* out) {
  for (int i = 0; i < count; ++i) {
    uint32_t p;
    std::memcpy(&p, rgba + 4 * i, 4);
    const uint32_t swapped = (p & 0xFF00FF00u) | ((p >> 16) & 0xFFu) | ((p & 0xFFu) << 16);
    p = (swap ? swapped : p) | opaque;
    std::memcpy(out + 4 * i, &p, 4);
  }
}

void PackThree(const uint8_t* rgba, int count, bool swap, uint8_t* out) {
  int i = 0;
#ifdef TALKFACE_HAVE_AVX2
  if (HasAvx2()) i = PackThreeAvx2(rgba, count, swap, out);
#endif
  for (; i < count; ++i) {
    out[3 * i + (swap ? 2 : 0)] = rgba[4 * i];
    out[3 * i + 1] = rgba[4 * i + 1];
    out[3 * i + (swap ? 0 : 2)] = rgba[4 * i + 2];
  }
}

}  // namespace

void LumaRow(const uint8_t* rgbx, int count, const YuvWeights& weights, uint8_t* luma) {
  int i = 0;
#ifdef TALKFACE_HAVE_AVX2
  if (HasAvx2()) i = LumaRowAvx2(rgbx, count, weights, luma);
#endif
  for (; i < count; ++i) {
    const uint8_t* p = rgbx + 4 * i;
    luma[i] = Clamp8(
        (weights.y[0] * p[0] + weights.y[1] * p[1] + weights.y[2] * p[2] + weights.y_bias) >> 15);
  }
}

void SumRows(const uint8_t* above, const uint8_t* here, const uint8_t* below, int count,
             int16_t* sums) {
  const int bytes = 4 * count;
  if (above == nullptr) {
    for (int i = 0; i < bytes; ++i) sums[i] = static_cast<int16_t>(here[i] + below[i]);
  } else {
    for (int i = 0; i < bytes; ++i)
      sums[i] = static_cast<int16_t>(above[i] + 2 * here[i] + below[i]);
  }
}

void ChromaRow(const int16_t* sums, int count, const ChromaFilter& filter,
               const YuvWeights& weights, uint8_t* u, uint8_t* v) {
  int i = 0;
#ifdef TALKFACE_HAVE_AVX2
  if (HasAvx2()) i = ChromaRowAvx2(sums, count, filter, weights, u, v);
#endif
  const int shift = 15 + filter.shift;
  const int32_t bias = (128 << shift) + (1 << (shift - 1));
  for (; i < count; ++i) {
    int32_t sum[3];
    for (int c = 0; c < 3; ++c) {
      const int16_t* p = sums + 8 * i + c;
      sum[c] = filter.cosited ? p[-4] + 2 * p[0] + p[4] : p[0] + p[4];
    }
    u[i] = Clamp8((weights.u[0] * sum[0] + weights.u[1] * sum[1] + weights.u[2] * sum[2] + bias) >>
                  shift);
    v[i] = Clamp8((weights.v[0] * sum[0] + weights.v[1] * sum[1] + weights.v[2] * sum[2] + bias) >>
                  shift);
  }
}

void PackRow(const uint8_t* rgba, int count, PixelFormat format, uint8_t* out) {
  constexpr uint32_t kOpaque = 0xFF000000u;
  switch (format) {
    case PixelFormat::kRGBA:
      std::memcpy(out, rgba, 4 * static_cast<size_t>(count));
      return;
    case PixelFormat::kBGRA:
      return PackFour(rgba, count, true, 0, out);
    case PixelFormat::kRGBx:
      return PackFour(rgba, count, false, kOpaque, out);
    case PixelFormat::kBGRx:
      return PackFour(rgba, count, true, kOpaque, out);
    case PixelFormat::kRGB:
      return PackThree(rgba, count, false, out);
    default:
      return PackThree(rgba, count, true, out);
  }
}

}  // namespace talkface::imaging
