// SPDX-License-Identifier: MIT
// Which way a face looks, from its landmarks.
#pragma once

#include "models/engine.h"

namespace talkface::vision {

// Degrees, all 0 for a face that looks straight into the camera.
struct Pose {
  float yaw = 0;    // towards the picture's right is positive
  float pitch = 0;  // down is positive
  float roll = 0;   // turned clockwise in the picture is positive
};

// `landmarks`: kLandmarks x (x, y, z) as in FaceInfo.
Pose PoseOf(const float (*landmarks)[3]);

}  // namespace talkface::vision
