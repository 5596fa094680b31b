// SPDX-License-Identifier: MIT
// Life without speech: breathing, slight head movement, blinks. Pure functions of media time and
// seed.
#pragma once

#include <cstdint>

namespace talkface::auwarp {

struct HeadPose {      // of the head on its portrait
  float u = 0, v = 0;  // shift in face heights, within 0.02
  float turn = 0;      // in the picture's plane, radians, within 1.5 degrees
  float parallax = 0;  // shift of the nearest part of the face over the rest, within 0.005
};

HeadPose HeadPoseAt(uint64_t time_ns, uint64_t seed);

// How far the lids are shut: 0 open, 1 closed. 8 to 25 blinks a minute of 0.1 to 0.3 s each.
float BlinkAt(uint64_t time_ns, uint64_t seed);

}  // namespace talkface::auwarp
