// SPDX-License-Identifier: MIT
// A portrait's face in its own units: origin between the lips, u to the right of the picture along
// the mouth, v down, 1 = face height H (landmarks 10 to 152). All later parts of the face model
// speak these units.
#pragma once

#include <array>

#include "models/engine.h"
#include "models/vision/mesh_points.h"

namespace talkface::portrait {

struct Point {
  float u = 0, v = 0;
};

struct Colour {  // 0..255
  float r = 0, g = 0, b = 0;
  float Luma() const { return 0.299f * r + 0.587f * g + 0.114f * b; }
};

inline Colour Scaled(const Colour& c, float by) { return {c.r * by, c.g * by, c.b * by}; }
inline Colour Mix(const Colour& a, const Colour& b, float t) {
  return {a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

// v as a function of u at equal steps between two ends; flat beyond them.
struct Curve {
  static constexpr int kSteps = 64;
  float from = 0, to = 1;
  std::array<float, kSteps + 1> values{};
  float At(float u) const {
    float x = (u - from) * (kSteps / (to - from));
    x = x < 0 ? 0 : (x > kSteps - 0.001f ? kSteps - 0.001f : x);
    const int i = static_cast<int>(x);
    return values[i] + (values[i + 1] - values[i]) * (x - static_cast<float>(i));
  }
};

struct Eye {
  Curve upper, lower;  // lid edges
  float opening = 0;   // largest distance between them
  bool can_close = false;
};

// Of the gap between a smile's lips, how much the upper one closes, coming down.
constexpr float kUpperShare = 0.25f;

struct FaceGeometry {
  // Portrait pixels of (u, v): (x + height_px (u cos - v sin), y + height_px (u sin + v cos)).
  float x = 0, y = 0, cos = 1, sin = 0, height_px = 0;
  std::array<Point, vision::kMeshPoints> points{};
  Point box_centre, box_half;  // of the landmarks' hull

  Curve upper_lip, lower_lip;    // inner edges; one and the same line for a closed mouth
  Curve upper_skin, lower_skin;  // where the lips' red ends
  float left = 0, right = 0;     // mouth corners' distance from u = 0, both positive
  float own_gap = 0;             // between the inner lips, as the portrait shows it
  bool shows_inside = false;     // own_gap > 0.03: teeth or mouth seen in the portrait are kept

  Colour lip, skin;
  std::array<Eye, 2> eyes;

  // 0 in the middle of the mouth, 1 at the corner of u's side.
  float Across(float u) const { return u < 0 ? -u / left : u / right; }
  Point ToPortrait(Point p) const {
    return {x + height_px * (p.u * cos - p.v * sin), y + height_px * (p.u * sin + p.v * cos)};
  }
};

// The mean of the portrait's colours (over black) in a square of half side `r` round a place.
Colour MeanAround(const Pixels& portrait, const FaceGeometry& face, Point centre, float r);

// Measures the face. Throws Error{kNoFace} for landmarks that are not a face (no height or no mouth
// width).
FaceGeometry MeasureFace(const Pixels& portrait, const FaceInfo& face);

}  // namespace talkface::portrait
