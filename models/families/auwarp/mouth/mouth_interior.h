// SPDX-License-Identifier: MIT
// What is seen between parted lips: upper teeth, fixed to the skull; lower teeth and tongue, which
// go with the jaw; the dark behind.
#pragma once

#include <array>
#include <cstdint>

#include "models/families/auwarp/mouth/mouth_look.h"
#include "models/families/auwarp/mouth/mouth_pose.h"
#include "models/portrait/motion_fields.h"
#include "models/portrait/pixel_sampler.h"

namespace talkface::auwarp {

// A place between the lips, in face units.
struct MouthPlace {
  portrait::Point skull;  // where it would lie if the head had not moved
  float below_upper;      // distance to the upper lip's edge
  float above_lower;      // distance to the lower lip's edge
};

// What of a frame's pose the inside depends on.
struct MouthState {
  float teeth = 1;  // 0 hides them, for puckered lips
  float jaw = 0;    // how far it has gone down
  float moved = 0;  // 0: the portrait's own mouth at rest .. 1: lips have left their place
};

// Colours of the inside; immutable.
class MouthInterior {
 public:
  MouthInterior(const portrait::FaceGeometry& face, const MouthLook& look,
                const portrait::FaceMap& map, const portrait::Patch& portrait);
  portrait::Colour At(const MouthPlace& place, const MouthState& state) const;

 private:
  struct Tooth {
    float light, edge;
  };
  Tooth ToothAt(float across) const;
  portrait::Colour Cavity(const MouthPlace& place, float across) const;
  portrait::Colour OwnPixel(portrait::Point skull) const;
  portrait::Colour WithOwnPixels(const MouthPlace& place, const MouthState& state,
                                 portrait::Colour behind) const;
  void AddLowerTeeth(const MouthPlace& place, float across, const MouthState& state,
                     portrait::Colour* colour) const;
  void AddUpperTeeth(const MouthPlace& place, float across, const MouthState& state,
                     portrait::Colour* colour) const;

  static constexpr int kTeethSteps = 128;
  const portrait::FaceGeometry& face_;
  const MouthLook look_;
  const portrait::FaceMap map_;
  const portrait::Patch& portrait_;
  float bite_ = 0;  // v at which upper and lower teeth meet under a shut mouth
  float soft_ = 0;  // half an edge's width
  std::array<Tooth, kTeethSteps + 1> teeth_{};  // by distance from the middle
};

}  // namespace talkface::auwarp
