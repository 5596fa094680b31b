// SPDX-License-Identifier: MIT
// Inner loops of colour conversion over rows of four-byte pixels.
#pragma once

#include <cstdint>

#include "models/imaging/frame_format.h"

namespace talkface::imaging {

// `count` pixels to luma.
void LumaRow(const uint8_t* rgbx, int count, const YuvWeights& weights, uint8_t* luma);

// Sums of rows, channel by channel, `count` pixels: above + 2 * here + below where `above` is
// given, else here + below.
void SumRows(const uint8_t* above, const uint8_t* here, const uint8_t* below, int count,
             int16_t* sums);

// How a chroma sample gathers sums: 2i and 2i+1, or 2i-1 + 2 * 2i + 2i+1; the total of all weights,
// vertical ones included, is 1 << shift.
struct ChromaFilter {
  bool cosited;
  int shift;
};

// `count` chroma samples from `sums`, four int16 a pixel, readable from pixel -1 to 2 * count - 1.
void ChromaRow(const int16_t* sums, int count, const ChromaFilter& filter,
               const YuvWeights& weights, uint8_t* u, uint8_t* v);

// `count` pixels into a packed format.
void PackRow(const uint8_t* rgba, int count, PixelFormat format, uint8_t* out);

}  // namespace talkface::imaging
