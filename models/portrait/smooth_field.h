// SPDX-License-Identifier: MIT
// A smooth scalar field through scattered values (thin-plate spline).
#pragma once

#include <vector>

#include "models/portrait/face_geometry.h"

namespace talkface::portrait {

struct ControlPoint {
  Point at;
  float value;
};

// Interpolates with sum w r^2 log r + a + b u + c v. Immutable.
class SmoothField {
 public:
  // Points nearer to each other than 0.004 count once. At least three that are not on one line.
  explicit SmoothField(const std::vector<ControlPoint>& points);
  float At(Point p) const;

 private:
  struct Node {
    double u, v, weight;
  };
  std::vector<Node> nodes_;
  double constant_ = 0, slope_u_ = 0, slope_v_ = 0;
};

}  // namespace talkface::portrait
