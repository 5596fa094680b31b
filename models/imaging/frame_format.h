// SPDX-License-Identifier: MIT
// Frames of each format: where their bytes lie (core/frame_planes.h), and the integers that turn
// RGB into its luma and chroma.
#pragma once

#include <cstdint>

#include "models/core/frame_planes.h"
#include "models/engine.h"

namespace talkface::imaging {

using talkface::PlaneSize;
using talkface::PlanesOf;

// I420, YV12 and NV12.
bool IsSubsampled(PixelFormat format);

// RGB to YUV in 1/32768: y = (sum y[i] * rgb[i] + y_bias) >> 15, and u, v likewise from RGB
// averaged over a chroma sample. The fourth weight is 0: pixels have four bytes.
struct YuvWeights {
  int16_t y[4], u[4], v[4];
  int32_t y_bias;
};

YuvWeights WeightsOf(ColorMatrix matrix, bool full_range);

// Red's and blue's share of luma.
struct LumaShares {
  double red, blue;
};
LumaShares SharesOf(ColorMatrix matrix);

}  // namespace talkface::imaging
