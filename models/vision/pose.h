// SPDX-License-Identifier: MIT
// Which way a face looks, from its landmarks.
#pragma once

#include "models/engine.h"

namespace talkface::vision {

// Degrees, all 0 for a face that looks straight into the camera.
struct Pose {
  // Towards the picture's right is positive. The mesh net turns its mesh as far as the face up to
  // about 25 degrees, but never more than 50, which it shows for a full profile: what lies above 25
  // is stretched to make up for that, and rough.
  float yaw = 0;
  float pitch = 0;  // down is positive
  float roll = 0;   // turned clockwise in the picture is positive
};

// `landmarks`: kMeshPoints x (x, y, z) as in FaceInfo.
Pose PoseOf(const float (*landmarks)[3]);

}  // namespace talkface::vision
