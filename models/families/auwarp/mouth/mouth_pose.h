// SPDX-License-Identifier: MIT
// From what speech asks for to how far each motion field is driven.
#pragma once

#include "models/families/auwarp/expression.h"
#include "models/portrait/face_geometry.h"

namespace talkface::auwarp {

// Amplitudes in face heights, after response curves and clamps.
struct MouthPose {
  float jaw = 0;        // downward travel of the lower lip with the jaw
  float part_up = 0;    // upward travel of the upper lip
  float part_down = 0;  // downward travel of the lower lip without the jaw
  float close = 0;      // share of the portrait's own gap that is shut; 1: its lips touch
  float relax = 0;      // share of the lower lip's pressed shape that is gone
  float width = 0;      // mouth width less the portrait's
  float thick = 0;      // lips bulge (pucker)
  float pucker = 0;     // 0..1: how far the lips are drawn together
  float corner = 0;     // corners pulled out and up (dimpler)

  // How far the lips are apart in the middle.
  float Gap(const portrait::FaceGeometry& face) const {
    return (1 - close) * face.own_gap + jaw + part_up + part_down;
  }
  bool AtRest() const {
    return jaw == 0 && part_up == 0 && part_down == 0 && close == 0 && width == 0 && thick == 0 &&
           corner == 0;
  }
};

// `gain` scales every value of the expression.
MouthPose PoseOf(const Expression& expression, float gain, const portrait::FaceGeometry& face);

}  // namespace talkface::auwarp
