// SPDX-License-Identifier: MIT
#include "models/imaging/frame_format.h"

#include <cmath>

#include "models/core/error.h"

namespace talkface::imaging {
namespace {

constexpr double kOne = 32768.0;

int16_t Fixed(double value) { return static_cast<int16_t>(std::lround(value * kOne)); }

}  // namespace

bool IsSubsampled(PixelFormat format) {
  return format == PixelFormat::kI420 || format == PixelFormat::kYV12 ||
         format == PixelFormat::kNV12;
}

LumaShares SharesOf(ColorMatrix matrix) {
  switch (matrix) {
    case ColorMatrix::kBt601:
      return {0.299, 0.114};
    case ColorMatrix::kBt709:
      return {0.2126, 0.0722};
    case ColorMatrix::kBt2020:
      return {0.2627, 0.0593};
    case ColorMatrix::kSmpte240m:
      return {0.212, 0.087};
    case ColorMatrix::kFcc:
      return {0.30, 0.11};
  }
  throw Error(Code::kInvalid, "Unknown colour matrix.");
}

YuvWeights WeightsOf(ColorMatrix matrix, bool full_range) {
  const LumaShares share = SharesOf(matrix);
  const double green = 1.0 - share.red - share.blue;
  const double y = full_range ? 1.0 : 219.0 / 255.0;
  const double c = full_range ? 1.0 : 224.0 / 255.0;
  YuvWeights weights{};
  weights.y[0] = Fixed(share.red * y);
  weights.y[2] = Fixed(share.blue * y);
  // What rounding left goes to green, so that grey stays grey and white reaches its level.
  weights.y[1] = static_cast<int16_t>(std::lround(y * kOne) - weights.y[0] - weights.y[2]);
  const double to_u = c / (2.0 * (1.0 - share.blue)), to_v = c / (2.0 * (1.0 - share.red));
  weights.u[0] = Fixed(-share.red * to_u);
  weights.u[1] = Fixed(-green * to_u);
  weights.u[2] = static_cast<int16_t>(-weights.u[0] - weights.u[1]);
  weights.v[1] = Fixed(-green * to_v);
  weights.v[2] = Fixed(-share.blue * to_v);
  weights.v[0] = static_cast<int16_t>(-weights.v[1] - weights.v[2]);
  weights.y_bias = (full_range ? 0 : 16 * 32768) + 16384;
  return weights;
}

}  // namespace talkface::imaging
