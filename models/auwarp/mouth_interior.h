// SPDX-License-Identifier: MIT
// What is seen between parted lips, and how lips and inside are put together.
#pragma once

#include <array>
#include <cstdint>

#include "models/auwarp/motion_fields.h"
#include "models/auwarp/mouth_pose.h"
#include "models/auwarp/pixel_sampler.h"

namespace talkface::auwarp {

// A place between the lips, in face units.
struct MouthPlace {
  Point skull;        // where it would lie if the head had not moved
  float below_upper;  // distance to the upper lip's edge
  float above_lower;  // distance to the lower lip's edge
};

// Colours of the inside; immutable.
class MouthInterior {
 public:
  MouthInterior(const FaceGeometry& face, const FaceMap& map, const Patch& portrait);
  // The colour at a place; `teeth` 0..1 hides them for puckered lips.
  Colour At(const MouthPlace& place, float teeth) const;

 private:
  Colour Cavity(float across, float below_upper, float above_lower) const;
  Colour OwnPixel(Point skull) const;
  void AddTeeth(const MouthPlace& place, float across, float teeth, Colour* colour) const;

  static constexpr int kTeethSteps = 128;
  const FaceGeometry& face_;
  const FaceMap map_;
  const Patch& portrait_;
  Colour tooth_;
  std::array<float, kTeethSteps + 1> tooth_light_{}, tooth_edge_{};  // by distance from the middle
};

}  // namespace talkface::auwarp
