// SPDX-License-Identifier: MIT
// Life of head, brows and lids: breathing, slight head movement, blinks. Pure functions of media
// time, seed and what the speech of the moment is like.
#pragma once

#include <cstdint>
#include <vector>

namespace talkface::portrait {

struct HeadPose {      // of the head on its portrait
  float u = 0, v = 0;  // shift in face heights, within 0.02 of the portrait
  float turn = 0;      // in the picture's plane, radians, within 1.5 degrees
  float parallax = 0;  // shift of the nearest part of the face over the rest, within 0.005
  float brow = 0;      // upward travel of the brows in face heights, within 0.012
};

// What SpeechEmphasis tells of the speech around a frame; both 0..1.
struct Emphasis {
  float liveliness = 0;  // moves the head about more
  float stress = 0;      // raises the brows, and the head a little
};

HeadPose HeadPoseAt(uint64_t time_ns, uint64_t seed, const Emphasis& emphasis = {});

struct Blink {
  uint64_t begin_ns, length_ns;  // 0.1 to 0.3 s long
  // How far the lids are shut: 0 open, 1 closed. They fall, rest, and rise more slowly.
  float At(uint64_t time_ns) const;
};

// All blinks that begin before `until_ns`, in order: 8 to 25 a minute, irregular.
std::vector<Blink> BlinksUntil(uint64_t until_ns, uint64_t seed);

// How far the lids are shut: 0 open, 1 closed.
float BlinkAt(uint64_t time_ns, uint64_t seed);

}  // namespace talkface::portrait
