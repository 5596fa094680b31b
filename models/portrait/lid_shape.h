// SPDX-License-Identifier: MIT
// What a portrait shows round an open eye, as far as its closed lid needs it.
#pragma once

#include <array>
#include <cstdint>

#include "models/portrait/motion_fields.h"
#include "models/portrait/pixel_sampler.h"

namespace talkface::portrait {

// All curves reach a little beyond the eye's corners, where they meet.
struct LidShape {
  static constexpr int kColumns = Curve::kSteps + 1;
  Curve top;                                  // above the upper lid's lashes: skin begins
  Curve edge;                                 // the open upper lid's edge
  Curve line;                                 // where the lids meet
  Curve bottom;                               // below the lower lid's lashes and rim: skin begins
  std::array<Colour, kColumns> above, below;  // skin along `top` and `bottom`
  Curve arch;                                 // 1 over the eye, 0 at both ends
  Colour lash;                                // the upper lid's edge where it is darkest
  bool left = true;  // in the picture: the outer corner is at the curves' begin

  // Smooth skin between `above` and `below`, `t` of the way down.
  Colour Between(float u, float t) const;
};

// `eye` is the picture's left one or its right one.
LidShape MeasureLid(const Eye& eye, bool left, const FaceMap& map, const Patch& portrait);

// One pixel of a patch, at a place in the frame.
void SampleAt(const Patch& patch, Point at, uint8_t* out);

// The mean of the portrait's colours over an ellipse in face units.
Colour MeanColour(const Patch& portrait, const FaceMap& map, Point centre, Point radius);

}  // namespace talkface::portrait
