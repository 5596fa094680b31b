// SPDX-License-Identifier: MIT
// Reads pixels between pixels.
#pragma once

#include <cstdint>
#include <vector>

#include "models/imaging/frame_writer.h"

namespace talkface::portrait {

// Part of a picture, four bytes a pixel, its last row and column repeated once so that a bilinear
// read never leaves it. Immutable after Fill.
class Patch {
 public:
  // `pixels` covers `area`, rows without gaps beyond `stride` bytes.
  void Fill(const uint8_t* pixels, size_t stride, const imaging::Rect& area);
  // The same area of `plain` with a pixel between every two, so that reading between them blurs
  // less: the half-sample filter of H.264 (8.4.2.2.1), 1 -5 20 20 -5 1. At is not for it.
  void FillDoubled(const Patch& plain);

  const imaging::Rect& area() const { return area_; }
  bool empty() const { return pixels_.empty(); }
  const uint8_t* data() const { return pixels_.data(); }
  uint8_t* At(int x, int y) {
    return pixels_.data() + (y - area_.y0) * stride_ + 4 * static_cast<ptrdiff_t>(x - area_.x0);
  }
  const uint8_t* At(int x, int y) const {
    return pixels_.data() + (y - area_.y0) * stride_ + 4 * static_cast<ptrdiff_t>(x - area_.x0);
  }
  // Repeats the edge again after pixels were changed through At.
  void RepeatEdge();
  uint64_t bytes() const { return pixels_.size(); }

  // `count` pixels from frame places (x[i], y[i]) in 1/256 pixel, bilinear at 1/64 pixel, moved
  // into the area where they lie outside.
  void Sample(const int32_t* x, const int32_t* y, int count, uint8_t* out) const;
  // The same for straight alpha: colours count by their alpha.
  void SampleStraight(const int32_t* x, const int32_t* y, int count, uint8_t* out) const;
  void SampleOne(int32_t x, int32_t y, uint8_t* out) const;

 private:
  int SampleAvx2(const int32_t* x, const int32_t* y, int count, uint8_t* out) const;
  struct Place {
    const uint8_t* at;
    int a, b;  // 0..63
  };
  Place Find(int32_t x, int32_t y) const;

  imaging::Rect area_;
  int log2_zoom_ = 0;  // 1: doubled
  ptrdiff_t stride_ = 0;
  std::vector<uint8_t> pixels_;
};

struct CellRow {
  int log2_step;  // nodes are 1 << log2_step pixels apart, 2 to 32
  int cells;
};

// Values between nodes: out[i] for the pixels of a row of cells, `inside` rows below `top`.
void ExpandRow(const int32_t* top, const int32_t* bottom, int inside, const CellRow& row,
               int32_t* out);

}  // namespace talkface::portrait
