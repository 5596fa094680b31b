// SPDX-License-Identifier: MIT
#include "models/vision/crop_kernels.h"

#include <algorithm>

#include "models/vision/simd_target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/vision/crop_kernels.cpp"
#include <hwy/foreach_target.h>  // includes this file once more for each further target
// After it only.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace talkface::vision {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr float kBackdrop = 128.0f;  // behind transparent pixels

using Wide = hn::CappedTag<float, 16>;
constexpr int kBatch = 16;  // samples that are placed at a time
// Sums of an output pixel: red, green, blue and what nobody looks at, twice where a vector holds
// two pixels.
using Pair = hn::CappedTag<float, 8>;
constexpr int kSums = hn::MaxLanes(Pair()) == 8 ? 8 : 4;

// Bilinear samples: the upper left pixel of each, and the weights of it and of those right of it,
// below it, and right of that.
struct Samples {
  HWY_ALIGN int32_t x[kBatch];
  HWY_ALIGN int32_t y[kBatch];
  HWY_ALIGN float weights[4][kBatch];
};

// Places a sample each for kBatch columns from `column` on: one column on is one `step` on.
HWY_INLINE void Place(const CropGrid& grid, Point down, float column, Samples* samples) {
  const Wide d;
  const hn::RebindToSigned<Wide> whole;
  const auto one = hn::Set(d, 1.0f);
  // One pixel beyond the edges all is border; from there on, cutting off rounds down.
  const auto limit = [&](hn::Vec<Wide> at, uint32_t size) HWY_ATTR {
    const auto inside = hn::Min(at, hn::Set(d, static_cast<float>(size)));
    return hn::Add(hn::Max(inside, hn::Set(d, -1.0f)), one);
  };
  for (int lane = 0; lane < kBatch; lane += static_cast<int>(hn::MaxLanes(d))) {
    const auto i = hn::Iota(d, column + static_cast<float>(lane));
    const auto x = hn::Add(hn::Set(d, grid.origin.x), hn::Mul(i, hn::Set(d, grid.step.x)));
    const auto y = hn::Add(hn::Set(d, grid.origin.y), hn::Mul(i, hn::Set(d, grid.step.y)));
    const auto right = limit(hn::Add(x, hn::Set(d, down.x)), grid.picture.width);
    const auto below = limit(hn::Add(y, hn::Set(d, down.y)), grid.picture.height);
    const auto x0 = hn::ConvertTo(whole, right), y0 = hn::ConvertTo(whole, below);
    const auto fx = hn::Sub(right, hn::ConvertTo(d, x0)), gx = hn::Sub(one, fx);
    const auto fy = hn::Sub(below, hn::ConvertTo(d, y0)), gy = hn::Sub(one, fy);
    hn::Store(hn::Sub(x0, hn::Set(whole, 1)), whole, samples->x + lane);
    hn::Store(hn::Sub(y0, hn::Set(whole, 1)), whole, samples->y + lane);
    hn::Store(hn::Mul(gx, gy), d, samples->weights[0] + lane);
    hn::Store(hn::Mul(fx, gy), d, samples->weights[1] + lane);
    hn::Store(hn::Mul(gx, fy), d, samples->weights[2] + lane);
    hn::Store(hn::Mul(fx, fy), d, samples->weights[3] + lane);
  }
}

HWY_INLINE void AddPixel(const uint8_t* pixel, float weight, float* sums) {
  const float alpha = weight * static_cast<float>(pixel[3]) * (1.0f / 255.0f);
  const float rest = (weight - alpha) * kBackdrop;
  for (int c = 0; c < 3; ++c) sums[c] += alpha * static_cast<float>(pixel[c]) + rest;
}

// One row of output.
class Row {
 public:
  explicit Row(const CropGrid& grid)
      : picture_(grid.picture),
        black_(grid.border == Border::kBlack),
        max_x_(static_cast<int>(grid.picture.width) - 1),
        max_y_(static_cast<int>(grid.picture.height) - 1) {}

  HWY_INLINE void Add(const Samples& samples, int i, float* sums) const {
    const int x = samples.x[i], y = samples.y[i];
    const float weights[4] = {samples.weights[0][i], samples.weights[1][i], samples.weights[2][i],
                              samples.weights[3][i]};
    if (x >= 0 && y >= 0 && x < max_x_ && y < max_y_) {
      const uint8_t* above = At(x, y);
      AddInside(above, above + picture_.stride, weights, sums);
    } else {
      for (int corner = 0; corner < 4; ++corner)
        AddAtEdge(x + corner % 2, y + corner / 2, weights[corner], sums);
    }
  }

 private:
  HWY_INLINE const uint8_t* At(int x, int y) const {
    return picture_.data + static_cast<size_t>(y) * picture_.stride + 4 * static_cast<size_t>(x);
  }

  // Two pixels each from `above` and `below` on.
  HWY_INLINE void AddInside(const uint8_t* above, const uint8_t* below, const float* weights,
                            float* sums) const {
    if (kSums == hn::MaxLanes(Pair()) && (above[3] & above[7] & below[3] & below[7]) == 255) {
      AddOpaque(Pair(), above, weights, sums);
      AddOpaque(Pair(), below, weights + 2, sums);
      return;
    }
    AddPixel(above, weights[0], sums);
    AddPixel(above + 4, weights[1], sums);
    AddPixel(below, weights[2], sums);
    AddPixel(below + 4, weights[3], sums);
  }

  // Two pixels that hide what is behind them.
  template <typename D>
  HWY_INLINE void AddOpaque(D d, const uint8_t* pixels, const float* weights, float* sums) const {
    const hn::Rebind<uint8_t, D> bytes;
    const hn::Rebind<int32_t, D> whole;
    const auto pixel = [&](int first) HWY_ATTR {
      return hn::ConvertTo(d, hn::PromoteTo(whole, hn::LoadU(bytes, pixels + first)));
    };
    auto sum = hn::Load(d, sums);
    if constexpr (hn::MaxLanes(D()) == 8) {
      const auto weight =
          hn::IfThenElse(hn::FirstN(d, 4), hn::Set(d, weights[0]), hn::Set(d, weights[1]));
      sum = hn::MulAdd(pixel(0), weight, sum);
    } else {
      sum = hn::MulAdd(pixel(0), hn::Set(d, weights[0]), sum);
      sum = hn::MulAdd(pixel(4), hn::Set(d, weights[1]), sum);
    }
    hn::Store(sum, d, sums);
  }

  void AddAtEdge(int x, int y, float weight, float* sums) const {
    if (black_ && (x < 0 || y < 0 || x > max_x_ || y > max_y_)) return;
    AddPixel(At(std::clamp(x, 0, max_x_), std::clamp(y, 0, max_y_)), weight, sums);
  }

  const Pixels picture_;
  const bool black_;
  const int max_x_, max_y_;
};

void CropRow(const CropGrid& grid, int row, float* out) {
  const Row target(grid);
  for (int first = 0; first < grid.size; first += kBatch, out += 3 * kBatch) {
    const int count = std::min(kBatch, grid.size - first);
    HWY_ALIGN float sums[kBatch][kSums] = {};
    for (int tap = 0; tap < grid.taps * grid.taps; ++tap) {
      const float i = static_cast<float>(first) + grid.offsets[tap % grid.taps];
      const float j = static_cast<float>(row) + grid.offsets[tap / grid.taps];
      Samples samples;
      Place(grid, {-j * grid.step.y, j * grid.step.x}, i, &samples);
      for (int column = 0; column < count; ++column) target.Add(samples, column, sums[column]);
    }
    for (int column = 0; column < count; ++column) {
      for (int c = 0; c < 3; ++c) {
        const float sum = sums[column][c] + (kSums == 8 ? sums[column][kSums - 4 + c] : 0.0f);
        out[3 * column + c] = grid.low + grid.gain * sum;
      }
    }
  }
}

constexpr CropKernels kCropKernels = {CropRow, HWY_STR(HWY_NAMESPACE)};

}  // namespace HWY_NAMESPACE
}  // namespace talkface::vision
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace talkface::vision {

const std::vector<const CropKernels*>& RunnableCropKernels() {
  static constexpr TargetKernels<CropKernels> kCompiled[] = TALKFACE_KERNEL_TABLE(kCropKernels);
  static const std::vector<const CropKernels*> runnable = RunnableKernels(kCompiled);
  return runnable;
}

}  // namespace talkface::vision
#endif
