// SPDX-License-Identifier: MIT
// Where a face is looked for, and which of several is taken.
#pragma once

#include <cstdint>
#include <vector>

#include "models/engine.h"
#include "models/vision/crop.h"
#include "models/vision/detector.h"

namespace talkface::vision {

// Regions that are searched together. The detector sees faces of about a fifth of its region or
// more: later stages look for smaller ones.
using Stage = std::vector<Region>;

// A still portrait: the whole picture; the picture with a margin, for a face that fills it; then
// overlapping squares of the short side, its half, quarter and eighth.
std::vector<Stage> PortraitStages(const Pixels& picture);

// Video: the first three of these, so that a frame without a face does not cost a second.
std::vector<Stage> FrameStages(const Pixels& picture);

struct Choice {
  size_t index = 0;
  uint32_t faces = 0;  // that count
};

// Of hits, at least one: drops all but the first that score below 0.6, takes the largest of the
// others, and counts those that have at least a quarter of its area and their centre outside it
// (in a picture of one large face its half may look like another).
Choice ChooseFace(const std::vector<Hit>& hits);

}  // namespace talkface::vision
