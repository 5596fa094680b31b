// SPDX-License-Identifier: MIT
#include "models/vision/net_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

#include "models/vision/simd_target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/vision/net_kernels.cpp"
#include <hwy/foreach_target.h>  // includes this file once more for each further target
// After it only.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace talkface::vision {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The vectors that convolutions work in, as many as a block of output channels takes.
using Wide = hn::CappedTag<float, kChannelBlock>;
using WideVec = hn::Vec<Wide>;
constexpr int64_t kWideLanes = hn::MaxLanes(Wide());
constexpr int kVectors = static_cast<int>(kChannelBlock / kWideLanes);
// Pixels that are summed up side by side: their sums, the weights and one value fit the registers.
#if HWY_TARGET == HWY_NEON
constexpr int kTile = 6;
#else
constexpr int kTile = kVectors == 1 ? 12 : kVectors == 2 ? 6 : 3;
#endif
constexpr int kSmallTile = 3;
// Pixels for which the weights of all blocks are gone through: they stay in the first cache.
constexpr int64_t kChunk = 48;

// What one block of output channels needs.
struct Block {
  const Sliding& sliding;
  const Filter& filter;
  int64_t first;         // output channel
  const float* weights;  // of the block
  int64_t in_row;        // floats
  int64_t taps;          // of one row of the kernel: kernel_width x in_channels

  Block(const Sliding& s, const Filter& f, int64_t channel)
      : sliding(s),
        filter(f),
        first(channel),
        weights(f.weights + channel * s.kernel_height * s.kernel_width * s.in_channels),
        in_row(s.in_width * s.in_channels),
        taps(s.kernel_width * s.in_channels) {}
};

// The residual of one output pixel from the block's first channel on.
HWY_INLINE WideVec Residual(const Block& block, int64_t pixel, int64_t channel) {
  const Wide d;
  const int64_t channels = block.filter.residual_channels;
  const float* from = block.filter.residual + pixel * channels + channel;
  if (channel + kWideLanes <= channels) return hn::LoadU(d, from);
  HWY_ALIGN float part[kWideLanes] = {};
  if (channel < channels) std::memcpy(part, from, sizeof(float) * (channels - channel));
  return hn::Load(d, part);
}

// Writes the sums of one output pixel: residual and activation, then what of the block exists.
HWY_INLINE void Finish(const Block& block, int64_t pixel, const WideVec* sums, float* out) {
  const Wide d;
  const Filter& filter = block.filter;
  const int64_t channels = block.sliding.out_channels;
  const WideVec zero = hn::Zero(d);
  for (int v = 0; v < kVectors; ++v) {
    const int64_t channel = block.first + v * kWideLanes;
    if (channel >= channels) return;
    WideVec sum = sums[v];
    if (filter.residual) sum = hn::Add(sum, Residual(block, pixel, channel));
    if (filter.slopes) {
      const WideVec slopes = hn::LoadU(d, filter.slopes + channel);
      sum = hn::IfThenElse(hn::Lt(sum, zero), hn::Mul(sum, slopes), sum);
    } else if (filter.relu) {
      sum = hn::Max(sum, zero);
    }
    float* to = out + pixel * channels + channel;
    if (channel + kWideLanes <= channels) {
      hn::StoreU(sum, d, to);
    } else {
      HWY_ALIGN float part[kWideLanes];
      hn::Store(sum, d, part);
      std::memcpy(to, part, sizeof(float) * (channels - channel));
    }
  }
}

// kPixels output pixels of one row from `pixel` on, for one block; `in` is where the window of the
// first lies.
template <int kPixels>
HWY_INLINE void ConvolveTile(const Block& block, const float* in, int64_t pixel, float* out) {
  const Wide d;
  WideVec sums[kPixels][kVectors];
  HWY_UNROLL(12)
  for (int p = 0; p < kPixels; ++p) {
    HWY_UNROLL(4)
    for (int v = 0; v < kVectors; ++v)
      sums[p][v] = hn::LoadU(d, block.filter.bias + block.first + v * kWideLanes);
  }
  const int64_t step = block.sliding.stride_x * block.sliding.in_channels;
  const float* weights = block.weights;
  for (int64_t ky = 0; ky < block.sliding.kernel_height; ++ky, in += block.in_row) {
    for (int64_t k = 0; k < block.taps; ++k, weights += kChannelBlock) {
      WideVec w[kVectors];
      HWY_UNROLL(4)
      for (int v = 0; v < kVectors; ++v) w[v] = hn::LoadU(d, weights + v * kWideLanes);
      HWY_UNROLL(12)
      for (int p = 0; p < kPixels; ++p) {
        const WideVec x = hn::Set(d, in[p * step + k]);
        HWY_UNROLL(4)
        for (int v = 0; v < kVectors; ++v) sums[p][v] = hn::MulAdd(x, w[v], sums[p][v]);
      }
    }
  }
  HWY_UNROLL(12)
  for (int p = 0; p < kPixels; ++p) Finish(block, pixel + p, sums[p], out);
}

// `count` output pixels of one row from `pixel` on, for one block.
void ConvolveRun(const Block& block, const float* in, int64_t pixel, int64_t count, float* out) {
  const int64_t step = block.sliding.stride_x * block.sliding.in_channels;
  int64_t i = 0;
  for (; i + kTile <= count; i += kTile) {
    ConvolveTile<kTile>(block, in + i * step, pixel + i, out);
  }
  for (; i + kSmallTile <= count; i += kSmallTile) {
    ConvolveTile<kSmallTile>(block, in + i * step, pixel + i, out);
  }
  for (; i < count; ++i) ConvolveTile<1>(block, in + i * step, pixel + i, out);
}

void Convolve(const Sliding& s, const float* in, const Filter& filter, float* out) {
  for (int64_t y = 0; y < s.out_height; ++y) {
    const float* row = in + y * s.stride_y * s.in_width * s.in_channels;
    for (int64_t x = 0; x < s.out_width; x += kChunk) {
      const int64_t count = std::min(kChunk, s.out_width - x);
      for (int64_t channel = 0; channel < s.out_channels; channel += kChannelBlock) {
        ConvolveRun(Block(s, filter, channel), row + x * s.stride_x * s.in_channels,
                    y * s.out_width + x, count, out);
      }
    }
  }
}

// Calls body(d, channel) for vectors that cover all channels; the last one may overlap the one
// before it. Images of few channels get short vectors.
template <typename D, typename Body>
HWY_INLINE void CoverChannels(D d, int64_t channels, const Body& body) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  for (int64_t channel = 0; channel + kLanes < channels; channel += kLanes) body(d, channel);
  body(d, channels - kLanes);
}

template <typename Body>
HWY_INLINE void ForChannels(int64_t channels, const Body& body) {
  if (channels >= kWideLanes) {
    CoverChannels(Wide(), channels, body);
  } else if (channels >= static_cast<int64_t>(hn::MaxLanes(hn::CappedTag<float, 4>()))) {
    CoverChannels(hn::CappedTag<float, 4>(), channels, body);
  } else {
    CoverChannels(hn::CappedTag<float, 1>(), channels, body);
  }
}

// The part of a window at `place` (row or column of its first pixel) that lies inside the image.
struct Span {
  int64_t begin, end;
  Span(int64_t place, int64_t kernel, int64_t size)
      : begin(std::max<int64_t>(-place, 0)), end(std::min(kernel, size - place)) {}
};

// One row of output and one vector of channels.
struct ChannelRow {
  const Sliding& sliding;
  int64_t top;  // of the window, may be outside the image
  Span rows;
  const float* in;  // the image from the first channel of the vector on
  float* out;       // likewise, of the row

  ChannelRow(const Sliding& s, int64_t y, int64_t channel, const float* image, float* result)
      : sliding(s),
        top(y * s.stride_y - s.top),
        rows(top, s.kernel_height, s.in_height),
        in(image + channel),
        out(result + y * s.out_width * s.out_channels + channel) {}

  const float* At(int64_t ky, int64_t column) const {
    return in + ((top + ky) * sliding.in_width + column) * sliding.in_channels;
  }
  // Calls visit(pixel, ky, kx) for the pixels of the image under the window of output column x.
  template <typename Visit>
  HWY_INLINE void Under(int64_t x, const Visit& visit) const {
    const int64_t left = x * sliding.stride_x - sliding.left;
    const Span columns(left, sliding.kernel_width, sliding.in_width);
    for (int64_t ky = rows.begin; ky < rows.end; ++ky) {
      for (int64_t kx = columns.begin; kx < columns.end; ++kx) visit(At(ky, left + kx), ky, kx);
    }
  }
};

// Output columns from `x` on whose 3 x 3 windows lie wholly inside the image; returns the first
// that does not. The weights stay in registers.
template <typename D>
HWY_INLINE int64_t Depthwise3x3(D d, const ChannelRow& row, const float* weights, hn::Vec<D> bias,
                                int64_t x) {
  const Sliding& s = row.sliding;
  hn::Vec<D> w[9];
  HWY_UNROLL(9)
  for (int k = 0; k < 9; ++k) w[k] = hn::LoadU(d, weights + k * s.in_channels);
  const int64_t pitch = s.in_width * s.in_channels;
  for (; x < s.out_width && x * s.stride_x - s.left + 3 <= s.in_width; ++x) {
    const float* at = row.At(0, x * s.stride_x - s.left);
    hn::Vec<D> sum = bias;
    HWY_UNROLL(9)
    for (int k = 0; k < 9; ++k) {
      const float* pixel = at + (k / 3) * pitch + (k % 3) * s.in_channels;
      sum = hn::MulAdd(hn::LoadU(d, pixel), w[k], sum);
    }
    hn::StoreU(sum, d, row.out + x * s.out_channels);
  }
  return x;
}

template <typename D>
HWY_INLINE void DepthwiseRow(D d, const ChannelRow& row, const float* weights, const float* bias) {
  const Sliding& s = row.sliding;
  const hn::Vec<D> start = hn::LoadU(d, bias);
  const bool inner = s.kernel_height == 3 && s.kernel_width == 3 && row.rows.begin == 0 &&
                     row.rows.end == s.kernel_height;
  for (int64_t x = 0; x < s.out_width; ++x) {
    if (inner && x * s.stride_x >= s.left) {
      x = Depthwise3x3(d, row, weights, start, x);
      if (x >= s.out_width) return;
    }
    hn::Vec<D> sum = start;
    row.Under(x, [&](const float* pixel, int64_t ky, int64_t kx) HWY_ATTR {
      const float* weight = weights + (ky * s.kernel_width + kx) * s.in_channels;
      sum = hn::MulAdd(hn::LoadU(d, pixel), hn::LoadU(d, weight), sum);
    });
    hn::StoreU(sum, d, row.out + x * s.out_channels);
  }
}

void Depthwise(const Sliding& s, const float* in, const Filter& filter, float* out) {
  for (int64_t y = 0; y < s.out_height; ++y) {
    ForChannels(s.in_channels, [&](auto d, int64_t channel) HWY_ATTR {
      DepthwiseRow(d, ChannelRow(s, y, channel, in, out), filter.weights + channel,
                   filter.bias + channel);
    });
  }
}

void MaxPool(const Sliding& s, const float* in, float* out) {
  for (int64_t y = 0; y < s.out_height; ++y) {
    ForChannels(s.in_channels, [&](auto d, int64_t channel) HWY_ATTR {
      const ChannelRow row(s, y, channel, in, out);
      for (int64_t x = 0; x < s.out_width; ++x) {
        auto most = hn::Set(d, -HUGE_VALF);
        row.Under(x, [&](const float* pixel, int64_t, int64_t)
                         HWY_ATTR { most = hn::Max(most, hn::LoadU(d, pixel)); });
        hn::StoreU(most, d, row.out + x * s.out_channels);
      }
    });
  }
}

void Prelu(int64_t pixels, int64_t channels, const float* in, const float* slopes, float* out) {
  for (int64_t pixel = 0; pixel < pixels; ++pixel, in += channels, out += channels) {
    ForChannels(channels, [&](auto d, int64_t channel) HWY_ATTR {
      const auto x = hn::LoadU(d, in + channel);
      const auto scaled = hn::Mul(x, hn::LoadU(d, slopes + channel));
      hn::StoreU(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), scaled, x), d, out + channel);
    });
  }
}

void Relu(int64_t count, const float* in, float* out) {
  const Wide d;
  int64_t i = 0;
  for (; i + kWideLanes <= count; i += kWideLanes)
    hn::StoreU(hn::Max(hn::LoadU(d, in + i), hn::Zero(d)), d, out + i);
  for (; i < count; ++i) out[i] = std::max(in[i], 0.0f);
}

void Add(int64_t count, const float* a, const float* b, float* out) {
  const Wide d;
  int64_t i = 0;
  for (; i + kWideLanes <= count; i += kWideLanes)
    hn::StoreU(hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, out + i);
  for (; i < count; ++i) out[i] = a[i] + b[i];
}

constexpr NetKernels kKernels = {
    Convolve, Depthwise, MaxPool, Prelu, Relu, Add, HWY_STR(HWY_NAMESPACE)};

}  // namespace HWY_NAMESPACE
}  // namespace talkface::vision
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace talkface::vision {

namespace {
constexpr std::align_val_t kCacheLine{64};
}

FloatBuffer::FloatBuffer(size_t count)
    : floats_(static_cast<float*>(::operator new(count * sizeof(float), kCacheLine))),
      size_(count) {}

void FloatBuffer::Free::operator()(float* floats) const { ::operator delete(floats, kCacheLine); }

const std::vector<const NetKernels*>& RunnableNetKernels() {
  static constexpr TargetKernels<NetKernels> kCompiled[] = TALKFACE_KERNEL_TABLE(kKernels);
  static const std::vector<const NetKernels*> runnable = RunnableKernels(kCompiled);
  return runnable;
}

}  // namespace talkface::vision
#endif
