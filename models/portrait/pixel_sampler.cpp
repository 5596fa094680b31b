// SPDX-License-Identifier: MIT
#include "models/portrait/pixel_sampler.h"

#include <algorithm>
#include <cstring>

#include "models/imaging/simd.h"

namespace talkface::portrait {
namespace {

template <int kLog2>
TALKFACE_INLINE void Expand(const int32_t* top, const int32_t* bottom, int inside, int cells,
                            int32_t* out) {
  constexpr int kStep = 1 << kLog2;
  constexpr int32_t kHalf = 1 << (2 * kLog2 - 1);
  int32_t left = top[0] * (kStep - inside) + bottom[0] * inside;
  for (int c = 0; c < cells; ++c, out += kStep) {
    const int32_t right = top[c + 1] * (kStep - inside) + bottom[c + 1] * inside;
    const int32_t start = left * kStep + kHalf, slope = right - left;
    for (int i = 0; i < kStep; ++i) out[i] = (start + slope * i) >> (2 * kLog2);
    left = right;
  }
}

TALKFACE_INLINE void ExpandAny(const int32_t* top, const int32_t* bottom, int inside,
                               const CellRow& row, int32_t* out) {
  switch (row.log2_step) {
    case 1:
      return Expand<1>(top, bottom, inside, row.cells, out);
    case 2:
      return Expand<2>(top, bottom, inside, row.cells, out);
    case 3:
      return Expand<3>(top, bottom, inside, row.cells, out);
    case 4:
      return Expand<4>(top, bottom, inside, row.cells, out);
    default:
      return Expand<5>(top, bottom, inside, row.cells, out);
  }
}

#ifdef TALKFACE_HAVE_AVX2
TALKFACE_AVX2 void ExpandAvx2(const int32_t* top, const int32_t* bottom, int inside,
                              const CellRow& row, int32_t* out) {
  ExpandAny(top, bottom, inside, row, out);
}
#endif

}  // namespace

void ExpandRow(const int32_t* top, const int32_t* bottom, int inside, const CellRow& row,
               int32_t* out) {
#ifdef TALKFACE_HAVE_AVX2
  if (HasAvx2()) return ExpandAvx2(top, bottom, inside, row, out);
#endif
  ExpandAny(top, bottom, inside, row, out);
}

void Patch::Fill(const uint8_t* pixels, size_t stride, const imaging::Rect& area) {
  area_ = area;
  log2_zoom_ = 0;
  stride_ = 4 * static_cast<ptrdiff_t>(area.x1 - area.x0 + 1);
  pixels_.resize(static_cast<size_t>(stride_) * static_cast<size_t>(area.y1 - area.y0 + 1));
  const size_t row = 4 * static_cast<size_t>(area.x1 - area.x0);
  for (int y = area.y0; y < area.y1; ++y) {
    std::memcpy(At(area.x0, y), pixels + static_cast<size_t>(y - area.y0) * stride, row);
  }
  RepeatEdge();
}

void Patch::RepeatEdge() {
  for (int y = area_.y0; y < area_.y1; ++y) std::memcpy(At(area_.x1, y), At(area_.x1 - 1, y), 4);
  std::memcpy(At(area_.x0, area_.y1), At(area_.x0, area_.y1 - 1), static_cast<size_t>(stride_));
}

namespace {

uint8_t HalfSample(int a, int b, int c, int d, int e, int f) {
  return static_cast<uint8_t>(
      std::clamp((a - 5 * b + 20 * c + 20 * d - 5 * e + f + 16) >> 5, 0, 255));
}

}  // namespace

void Patch::FillDoubled(const Patch& plain) {
  area_ = plain.area_;
  log2_zoom_ = 1;
  const int width = area_.x1 - area_.x0, height = area_.y1 - area_.y0;
  // The last column and row only keep a bilinear read inside.
  const int wide = 2 * width, high = 2 * height;
  stride_ = 4 * static_cast<ptrdiff_t>(wide);
  pixels_.resize(static_cast<size_t>(stride_) * static_cast<size_t>(high));
  std::vector<uint8_t> padded(4 * static_cast<size_t>(width + 5));
  for (int y = 0; y < height; ++y) {
    const uint8_t* from = plain.At(area_.x0, area_.y0 + y);
    for (int x = 0; x < width + 5; ++x)
      std::memcpy(&padded[4 * static_cast<size_t>(x)], from + 4 * std::clamp(x - 2, 0, width - 1),
                  4);
    uint8_t* to = pixels_.data() + 2 * y * stride_;
    const uint8_t* p = padded.data();
    for (int x = 0; x < width; ++x, to += 8, p += 4) {
      std::memcpy(to, p + 8, 4);
      for (int c = 0; c < 4; ++c)
        to[4 + c] = HalfSample(p[c], p[4 + c], p[8 + c], p[12 + c], p[16 + c], p[20 + c]);
    }
  }
  for (int y = 0; y < height; ++y) {
    const auto row = [&](int k) {
      return pixels_.data() + 2 * std::clamp(y + k, 0, height - 1) * stride_;
    };
    const uint8_t *a = row(-2), *b = row(-1), *c = row(0), *d = row(1), *e = row(2), *f = row(3);
    uint8_t* out = pixels_.data() + (2 * y + 1) * stride_;
    for (ptrdiff_t i = 0; i < stride_; ++i) out[i] = HalfSample(a[i], b[i], c[i], d[i], e[i], f[i]);
  }
}

Patch::Place Patch::Find(int32_t x, int32_t y) const {
  const auto place = [this](int32_t at, int from, int to) {
    return (std::clamp(at - 256 * from, 0, 256 * (to - from - 1)) << log2_zoom_) + 2;
  };
  const int32_t px = place(x, area_.x0, area_.x1), py = place(y, area_.y0, area_.y1);
  return {pixels_.data() + (py >> 8) * stride_ + 4 * (px >> 8), (px >> 2) & 63, (py >> 2) & 63};
}

void Patch::SampleOne(int32_t x, int32_t y, uint8_t* out) const {
  const Place p = Find(x, y);
  for (int c = 0; c < 4; ++c) {
    const int top = p.at[c] * (64 - p.a) + p.at[c + 4] * p.a;
    const int bottom = p.at[stride_ + c] * (64 - p.a) + p.at[stride_ + c + 4] * p.a;
    const int value = top + ((((bottom - top) * p.b * 512 >> 14) + 1) >> 1);
    out[c] = static_cast<uint8_t>((value + 32) >> 6);
  }
}

void Patch::SampleStraight(const int32_t* x, const int32_t* y, int count, uint8_t* out) const {
  for (int i = 0; i < count; ++i, out += 4) {
    const Place p = Find(x[i], y[i]);
    const int weight[4] = {(64 - p.a) * (64 - p.b), p.a * (64 - p.b), (64 - p.a) * p.b, p.a * p.b};
    const uint8_t* at[4] = {p.at, p.at + 4, p.at + stride_, p.at + stride_ + 4};
    int alpha = 0, sum[3] = {0, 0, 0};
    for (int k = 0; k < 4; ++k) {
      const int share = weight[k] * at[k][3];
      alpha += share;
      for (int c = 0; c < 3; ++c) sum[c] += share * at[k][c];
    }
    if (alpha == 0) {
      std::memcpy(out, p.at, 4);
      continue;
    }
    for (int c = 0; c < 3; ++c) out[c] = static_cast<uint8_t>((sum[c] + alpha / 2) / alpha);
    out[3] = static_cast<uint8_t>((alpha + 2048) >> 12);
  }
}

#ifdef TALKFACE_HAVE_AVX2
namespace {

// Neighbours side by side, as bytes: pixels 0, 1 | 4, 5 in `low`, 2, 3 | 6, 7 in `high`.
struct Neighbours {
  __m256i low, high;
};

TALKFACE_AVX2 inline __m256i Load(const uint8_t* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

// Pixels that follow one another, as in most of a slowly bent picture.
TALKFACE_AVX2 inline Neighbours LoadRun(const uint8_t* at) {
  const __m256i here = Load(at), next = Load(at + 4);
  return {_mm256_unpacklo_epi8(here, next), _mm256_unpackhi_epi8(here, next)};
}

// Two pixels of four bytes each, side by side, as pairs of bytes.
TALKFACE_AVX2 inline __m256i Paired(__m256i pixels) {
  const __m256i pairs = _mm256_setr_epi8(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15, 0, 4,
                                         1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
  return _mm256_shuffle_epi8(pixels, pairs);
}

// Every other pixel of a doubled picture.
TALKFACE_AVX2 inline Neighbours LoadDoubledRun(const uint8_t* at) {
  const __m256i first = Load(at), second = Load(at + 32);
  return {Paired(_mm256_permute2x128_si256(first, second, 0x20)),
          Paired(_mm256_permute2x128_si256(first, second, 0x31))};
}

TALKFACE_AVX2 inline __m256i LoadFour(const uint8_t* base, const int32_t* offset) {
  const auto two = [base](int32_t a, int32_t b) TALKFACE_AVX2 {
    int64_t low, high;
    std::memcpy(&low, base + a, 8);
    std::memcpy(&high, base + b, 8);
    return _mm_set_epi64x(high, low);
  };
  const __m256i four = _mm256_inserti128_si256(_mm256_castsi128_si256(two(offset[0], offset[1])),
                                               two(offset[4], offset[5]), 1);
  return Paired(four);
}

// Pixels anywhere. (Gather instructions are slower than loads on many processors.)
TALKFACE_AVX2 inline Neighbours LoadAny(const uint8_t* base, const int32_t* offset) {
  return {LoadFour(base, offset), LoadFour(base, offset + 2)};
}

// Four pixels from their neighbours in two rows, as 16-bit values.
TALKFACE_AVX2 inline __m256i Blend(__m256i top, __m256i bottom, __m256i across, __m256i down) {
  const __m256i t = _mm256_maddubs_epi16(top, across), b = _mm256_maddubs_epi16(bottom, across);
  const __m256i value = _mm256_add_epi16(t, _mm256_mulhrs_epi16(_mm256_sub_epi16(b, t), down));
  return _mm256_srli_epi16(_mm256_add_epi16(value, _mm256_set1_epi16(32)), 6);
}

}  // namespace

TALKFACE_AVX2 int Patch::SampleAvx2(const int32_t* x, const int32_t* y, int count,
                                    uint8_t* out) const {
  const __m256i zero = _mm256_setzero_si256(), two = _mm256_set1_epi32(2);
  const __m256i left = _mm256_set1_epi32(256 * area_.x0), top = _mm256_set1_epi32(256 * area_.y0);
  const __m256i last_x = _mm256_set1_epi32(256 * (area_.x1 - area_.x0 - 1));
  const __m256i last_y = _mm256_set1_epi32(256 * (area_.y1 - area_.y0 - 1));
  const __m256i stride = _mm256_set1_epi32(static_cast<int>(stride_));
  const __m256i mask = _mm256_set1_epi32(63), one = _mm256_set1_epi32(64);
  const __m128i zoom = _mm_cvtsi32_si128(log2_zoom_);
  const __m256i following = _mm256_sll_epi32(_mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28), zoom);
  int i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256i vx = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
    const __m256i vy = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(y + i));
    const __m256i px = _mm256_add_epi32(
        _mm256_sll_epi32(
            _mm256_min_epi32(_mm256_max_epi32(_mm256_sub_epi32(vx, left), zero), last_x), zoom),
        two);
    const __m256i py = _mm256_add_epi32(
        _mm256_sll_epi32(
            _mm256_min_epi32(_mm256_max_epi32(_mm256_sub_epi32(vy, top), zero), last_y), zoom),
        two);
    const __m256i offset = _mm256_add_epi32(_mm256_mullo_epi32(_mm256_srai_epi32(py, 8), stride),
                                            _mm256_slli_epi32(_mm256_srai_epi32(px, 8), 2));
    const __m256i a = _mm256_and_si256(_mm256_srai_epi32(px, 2), mask);
    const __m256i b = _mm256_and_si256(_mm256_srai_epi32(py, 2), mask);
    __m256i across = _mm256_or_si256(_mm256_sub_epi32(one, a), _mm256_slli_epi32(a, 8));
    across = _mm256_or_si256(across, _mm256_slli_epi32(across, 16));
    __m256i down = _mm256_slli_epi32(b, 9);
    down = _mm256_or_si256(down, _mm256_slli_epi32(down, 16));
    const __m256i run =
        _mm256_add_epi32(_mm256_broadcastd_epi32(_mm256_castsi256_si128(offset)), following);
    Neighbours upper, lower;
    if (_mm256_movemask_epi8(_mm256_cmpeq_epi32(offset, run)) == -1) {
      const uint8_t* at = pixels_.data() + _mm256_cvtsi256_si32(offset);
      upper = log2_zoom_ == 0 ? LoadRun(at) : LoadDoubledRun(at);
      lower = log2_zoom_ == 0 ? LoadRun(at + stride_) : LoadDoubledRun(at + stride_);
    } else {
      alignas(32) int32_t offsets[8];
      _mm256_store_si256(reinterpret_cast<__m256i*>(offsets), offset);
      upper = LoadAny(pixels_.data(), offsets);
      lower = LoadAny(pixels_.data() + stride_, offsets);
    }
    const __m256i bytes =
        _mm256_packus_epi16(Blend(upper.low, lower.low, _mm256_unpacklo_epi32(across, across),
                                  _mm256_unpacklo_epi32(down, down)),
                            Blend(upper.high, lower.high, _mm256_unpackhi_epi32(across, across),
                                  _mm256_unpackhi_epi32(down, down)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 4 * i), bytes);
  }
  return i;
}
#else
int Patch::SampleAvx2(const int32_t*, const int32_t*, int, uint8_t*) const { return 0; }
#endif

void Patch::Sample(const int32_t* x, const int32_t* y, int count, uint8_t* out) const {
  int i = HasAvx2() ? SampleAvx2(x, y, count, out) : 0;
  for (; i < count; ++i) SampleOne(x[i], y[i], out + 4 * i);
}

}  // namespace talkface::portrait
