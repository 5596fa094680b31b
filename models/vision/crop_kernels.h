// SPDX-License-Identifier: MIT
// The sampling behind Crop, compiled for every set of vector instructions that simd_target.h names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/engine.h"
#include "models/vision/crop.h"

namespace talkface::vision {

constexpr int kMaxTaps = 8;  // per axis and output pixel

// Where the samples of a crop lie: output pixel (column, row) is the average of taps x taps of
// them at origin + (column + offset) x step + (row + offset) x step turned by 90 degrees.
struct CropGrid {
  Pixels picture;
  Border border;
  int size;  // output pixels per axis
  int taps;  // 1 to kMaxTaps
  float offsets[kMaxTaps];
  Point origin, step;  // in picture pixels, pixel centres being whole numbers
  float low, gain;     // an output value is low + gain x sum of the samples, each 0 to 255
};

struct CropKernels {
  void (*row)(const CropGrid& grid, int row, float* out);  // writes size x 3 values
  const char* target;                                      // Highway's name of the instructions
};

// Those that this CPU runs, the best first.
const std::vector<const CropKernels*>& RunnableCropKernels();

}  // namespace talkface::vision
