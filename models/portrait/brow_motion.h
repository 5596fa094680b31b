// SPDX-License-Identifier: MIT
// How the skin goes along when the brows rise.
#pragma once

#include <array>

#include "models/portrait/face_geometry.h"

namespace talkface::portrait {

class BrowMotion {
 public:
  explicit BrowMotion(const FaceGeometry& face);
  // Along v for a unit of rise: -1 on the brows, fading over the forehead, a little at the upper
  // lids, nothing at the lower ones.
  float At(Point p) const;

 private:
  struct Side {
    Curve middle;  // of the brow's hair
    const Eye* eye;
  };
  static float Weight(const Side& side, Point p);
  std::array<Side, 2> sides_;
};

}  // namespace talkface::portrait
