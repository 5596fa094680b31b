// SPDX-License-Identifier: MIT
// From what speech asks for to how far each motion field is driven.
#pragma once

#include "models/auwarp/expression.h"
#include "models/auwarp/face_geometry.h"

namespace talkface::auwarp {

// Amplitudes in face heights, after response curves and clamps.
struct MouthPose {
  float jaw = 0;        // downward travel of the lower lip with the jaw
  float part_up = 0;    // upward travel of the upper lip
  float part_down = 0;  // downward travel of the lower lip without the jaw; below 0: lips close
  float width = 0;      // mouth width less the portrait's
  float thick = 0;      // lips bulge (pucker)
  float corner = 0;     // corners pulled out and up (dimpler)

  // How much further than in the portrait the lips are apart in the middle.
  float Gap() const { return jaw + part_up + part_down; }
  bool AtRest() const {
    return jaw == 0 && part_up == 0 && part_down == 0 && width == 0 && thick == 0 && corner == 0;
  }
};

// `gain` scales every value of the expression.
MouthPose PoseOf(const Expression& expression, float gain, const FaceGeometry& face);

}  // namespace talkface::auwarp
