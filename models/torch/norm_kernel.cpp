// SPDX-License-Identifier: MIT
#include "models/torch/norm_kernel.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

// Compiled for several processors, the best one chosen at load.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define TALKFACE_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define TALKFACE_CLONES
#endif

namespace talkface::nets {
namespace {

constexpr int64_t kBlock = 64;  // pixels summed in single precision before they join the total

struct BFloat16 {
  uint16_t bits;
};

inline float Load(const float& value) { return value; }
inline float Load(const BFloat16& value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
  float out;
  std::memcpy(&out, &bits, sizeof out);
  return out;
}
inline void Store(float value, float& out) { out = value; }
inline void Store(float value, BFloat16& out) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits += 0x7fff + ((bits >> 16) & 1);  // to nearest, ties to even
  out.bits = static_cast<uint16_t>(bits >> 16);
}

// e^x for |x| <= 87 to 2 ulp, in a form that compilers vectorise (Cephes' polynomial).
inline float Exp(float x) {
  x = std::min(std::max(x, -87.0f), 87.0f);
  const float rounder = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  const float shifted = x * 1.44269504088896341f + rounder;
  const float k = shifted - rounder;
  const float r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const float mantissa = p * r * r + r + 1.0f;
  int32_t exponent;
  std::memcpy(&exponent, &shifted, sizeof exponent);
  const uint32_t bits = static_cast<uint32_t>(exponent - 0x4b400000 + 127) << 23;
  float scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return mantissa * scale;
}

// Adds one block of pixels' deviations from `origin` to sum and square.
template <typename T>
inline void SumBlock(const T* x, int64_t pixels, int64_t channels, const float* origin, float* sum,
                     float* square) {
  std::fill(sum, sum + channels, 0.0f);
  std::fill(square, square + channels, 0.0f);
  for (int64_t p = 0; p < pixels; ++p, x += channels) {
    for (int64_t c = 0; c < channels; ++c) {
      const float deviation = Load(x[c]) - origin[c];
      sum[c] += deviation;
      square[c] += deviation * deviation;
    }
  }
}

TALKFACE_CLONES void SumFloats(const float* x, int64_t pixels, int64_t channels,
                               const float* origin, float* sum, float* square) {
  SumBlock(x, pixels, channels, origin, sum, square);
}

TALKFACE_CLONES void SumBFloats(const BFloat16* x, int64_t pixels, int64_t channels,
                                const float* origin, float* sum, float* square) {
  SumBlock(x, pixels, channels, origin, sum, square);
}

// What the normalisation does to one channel: (x - centre) * gain + offset.
struct Channels {
  std::vector<float> centre, gain, offset;
  explicit Channels(int64_t count) : centre(count), gain(count), offset(count) {}
};

template <typename T>
inline void ApplyPixels(const T* x, int64_t pixels, int64_t channels, const float* centre,
                        const float* gain, const float* offset, bool silu, T* out) {
  for (int64_t p = 0; p < pixels; ++p, x += channels, out += channels) {
    if (silu) {
      for (int64_t c = 0; c < channels; ++c) {
        const float y = (Load(x[c]) - centre[c]) * gain[c] + offset[c];
        Store(y / (1.0f + Exp(-y)), out[c]);
      }
    } else {
      for (int64_t c = 0; c < channels; ++c)
        Store((Load(x[c]) - centre[c]) * gain[c] + offset[c], out[c]);
    }
  }
}

TALKFACE_CLONES void ApplyFloats(const float* x, int64_t pixels, int64_t channels,
                                 const float* centre, const float* gain, const float* offset,
                                 bool silu, float* out) {
  ApplyPixels(x, pixels, channels, centre, gain, offset, silu, out);
}

TALKFACE_CLONES void ApplyBFloats(const BFloat16* x, int64_t pixels, int64_t channels,
                                  const float* centre, const float* gain, const float* offset,
                                  bool silu, BFloat16* out) {
  ApplyPixels(x, pixels, channels, centre, gain, offset, silu, out);
}

void Sum(const float* x, int64_t pixels, int64_t channels, const float* origin, float* sum,
         float* square) {
  SumFloats(x, pixels, channels, origin, sum, square);
}
void Sum(const BFloat16* x, int64_t pixels, int64_t channels, const float* origin, float* sum,
         float* square) {
  SumBFloats(x, pixels, channels, origin, sum, square);
}
void Apply(const float* x, int64_t pixels, int64_t channels, const Channels& to, bool silu,
           float* out) {
  ApplyFloats(x, pixels, channels, to.centre.data(), to.gain.data(), to.offset.data(), silu, out);
}
void Apply(const BFloat16* x, int64_t pixels, int64_t channels, const Channels& to, bool silu,
           BFloat16* out) {
  ApplyBFloats(x, pixels, channels, to.centre.data(), to.gain.data(), to.offset.data(), silu, out);
}

// The group's mean and variance out of its channels' deviations from their origins.
Channels Normalisation(const NormJob& job, const std::vector<float>& origin,
                       const std::vector<double>& sum, const std::vector<double>& square) {
  Channels to(job.channels);
  const int64_t width = job.channels / job.groups;
  const double count = static_cast<double>(job.pixels);
  for (int64_t first = 0; first < job.channels; first += width) {
    double mean = 0, spread = 0;
    for (int64_t c = first; c < first + width; ++c) mean += origin[c] + sum[c] / count;
    mean /= static_cast<double>(width);
    for (int64_t c = first; c < first + width; ++c) {
      const double distance = origin[c] + sum[c] / count - mean;
      spread += square[c] - sum[c] * sum[c] / count + count * distance * distance;
    }
    const double variance = std::max(0.0, spread / (count * static_cast<double>(width)));
    const double scale = 1 / std::sqrt(variance + job.epsilon);
    for (int64_t c = first; c < first + width; ++c) {
      const double gain = job.weight[c] * scale;
      to.centre[c] = static_cast<float>(mean);
      to.gain[c] = static_cast<float>(gain);
      to.offset[c] = static_cast<float>(job.bias[c] + (to.centre[c] - mean) * gain);
    }
  }
  return to;
}

template <typename T>
void Run(const NormJob& job, const ParallelFor& parallel) {
  const T* input = static_cast<const T*>(job.input);
  T* output = static_cast<T*>(job.output);
  const int64_t channels = job.channels, blocks = (job.pixels + kBlock - 1) / kBlock;
  std::vector<float> origin(channels), sums(blocks * channels), squares(blocks * channels);
  for (int64_t c = 0; c < channels; ++c) origin[c] = Load(input[c]);
  parallel(blocks, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const int64_t pixels = std::min(kBlock, job.pixels - b * kBlock);
      Sum(input + b * kBlock * channels, pixels, channels, origin.data(), &sums[b * channels],
          &squares[b * channels]);
    }
  });
  std::vector<double> sum(channels), square(channels);
  for (int64_t b = 0; b < blocks; ++b) {
    for (int64_t c = 0; c < channels; ++c) {
      sum[c] += sums[b * channels + c];
      square[c] += squares[b * channels + c];
    }
  }
  const Channels to = Normalisation(job, origin, sum, square);
  parallel(blocks, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * kBlock, last = std::min(end * kBlock, job.pixels);
    Apply(input + first * channels, last - first, channels, to, job.silu,
          output + first * channels);
  });
}

}  // namespace

void RunGroupNorm(const NormJob& job, const ParallelFor& parallel) {
  if (job.bfloat16)
    Run<BFloat16>(job, parallel);
  else
    Run<float>(job, parallel);
}

}  // namespace talkface::nets
