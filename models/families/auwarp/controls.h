// SPDX-License-Identifier: MIT
// What auwarp's speech part hands to its face part, one object a frame.
#pragma once

#include "models/core/family.h"
#include "models/families/auwarp/expression.h"
#include "models/portrait/idle_motion.h"

namespace talkface::auwarp {

// FrameControls::units holds a copy of expression.units; FrameControls::idle is set where no speech
// stands behind the frame (starved, drained or interrupted; the expression is fading to rest or is
// at rest).
class AuwarpControls : public FrameControls {
 public:
  Expression expression;
  float level = 0;              // loudness of the speech around the frame, 0 (none) to 1 (full)
  portrait::Emphasis emphasis;  // of that speech, for head and brows
};

}  // namespace talkface::auwarp
