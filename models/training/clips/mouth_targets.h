// SPDX-License-Identifier: MIT
// What a mouth does, measured on MediaPipe's 468-point mesh: `talkface prepare` stores the raw
// measures of each video frame, the trainer turns them into the speech net's targets.
//
// Pose is taken out first: the similarity (turn, scale, shift; least squares, Horn's quaternion)
// that carries 24 points of forehead, temples, eye corners and nose bridge onto a canonical face
// whose height H (points 10 to 152) is 1. x runs to the picture's right, y down.
#pragma once

#include <array>
#include <vector>

#include "models/families/auwarp/expression.h"

namespace talkface::auwarp {

constexpr int kShapes = 4;
constexpr int kUnits = 6;

// Raw measures of one frame, in H, the speaker's rest still in them. NaN where no face was found.
struct MouthMeasure {
  // Gap of the inner lips 13-14; distance of the mouth corners 61-291; upward place of the inner
  // upper lip 13; downward place of the chin 152.
  std::array<float, kShapes> shape;
  // What each action unit is read from (see UnitIntensities):
  //   AU10 upward place of the outer upper lip (37, 0, 267)
  //   AU14 upward place of the mouth corners (61, 291)
  //   AU18 and AU20 distance of the mouth corners, negated for AU18
  //   AU25 gap of the inner lips
  //   AU26 downward place of the chin
  std::array<float, kUnits> units;
};

// `landmarks` is [468][3] in pixels, z in the same scale.
MouthMeasure MeasureMouth(const float (*landmarks)[3]);

// Rest and gain of one speaker, from all frames of all clips of that speaker.
struct SpeakerNorm {
  std::array<float, kShapes> shape_rest, shape_gain;
  std::array<float, kUnits> units_rest, units_gain;
};

// Rest: the 5th percentile of the opening, and the medians of the other measures over the frames
// whose opening is in its lowest fifth. Gain: the typical spread (standard deviation over the
// median speaker of GRID, kTypical* in the .cpp) over the speaker's own, held within 0.4 to 2.5.
// Frames that are NaN are left out; fewer than 10 good ones throw Error{kInvalid}.
SpeakerNorm MeasureSpeaker(const std::vector<MouthMeasure>& frames);

// The net's target of one frame: rest removed, gain applied, action units by UnitIntensities.
Expression MakeExpression(const MouthMeasure& frame, const SpeakerNorm& norm);

// Action units of measures without rest and with gain, 0..5, linear between nothing and the most
// that speech and posed faces show (in H): AU10 .03, AU14 .025 (corner height less what the jaw
// takes it down), AU18 .07, AU20 .06, AU25 .10, AU26 .09.
std::array<float, kUnits> UnitIntensities(const std::array<float, kUnits>& travel);

}  // namespace talkface::auwarp
