// SPDX-License-Identifier: MIT
// Cuts regions out of pictures for the face nets.
#pragma once

#include <vector>

#include "models/engine.h"

namespace talkface::vision {

// A square of a picture in pixels, turned clockwise about its centre; may reach over the edges.
struct Region {
  float x = 0, y = 0;  // centre
  float side = 0;
  float angle_rad = 0;
};

struct Point {
  float x = 0, y = 0;
};

// The picture's point at (u, v) of a region; u and v run from 0 to 1 across it.
Point FromRegion(const Region& region, float u, float v);

enum class Border { kBlack, kNearest };  // what lies beyond the picture's edges

// Resamples a region to size x size x 3 floats, row by row: 0 becomes `low`, 255 `high`. Output
// pixel i lies at u = i / size, as in MediaPipe's CPU graphs, on which the nets' published
// behaviour rests. Large regions are averaged, not skipped over; transparent pixels show mid-grey
// behind them.
std::vector<float> Crop(const Pixels& picture, const Region& region, int size, Border border,
                        float low, float high);

}  // namespace talkface::vision
