// SPDX-License-Identifier: MIT
#include "models/portrait/brow_motion.h"

#include <algorithm>
#include <cmath>

#include "models/core/falloff.h"

namespace talkface::portrait {
namespace {

// MediaPipe's mesh, from the picture's left to its right: upper and lower edge of each brow.
constexpr int kUpperEdge[2][5] = {{70, 63, 105, 66, 107}, {336, 296, 334, 293, 300}};
constexpr int kLowerEdge[2][5] = {{46, 53, 52, 65, 55}, {285, 295, 282, 283, 276}};

// In face heights.
constexpr float kForehead = 0.085f, kBeside = 0.05f;
constexpr float kFlat = 0.012f;     // half of the brow's height moves as one
constexpr float kLidShare = 0.22f;  // of the brow's travel: the upper lid's

}  // namespace

BrowMotion::BrowMotion(const FaceGeometry& face) {
  for (size_t s = 0; s < sides_.size(); ++s) {
    std::array<Point, 5> path;
    for (size_t i = 0; i < path.size(); ++i) {
      const Point a = face.points[static_cast<size_t>(kUpperEdge[s][i])],
                  b = face.points[static_cast<size_t>(kLowerEdge[s][i])];
      path[i] = {0.5f * (a.u + b.u), 0.5f * (a.v + b.v)};
      // On a turned face the brow's end may fold back.
      if (i > 0) path[i].u = std::max(path[i].u, path[i - 1].u + 0.002f);
    }
    Side& side = sides_[s];
    side.eye = &face.eyes[s];
    side.middle.from = path.front().u, side.middle.to = path.back().u;
    size_t piece = 1;
    for (int i = 0; i <= Curve::kSteps; ++i) {
      const float u = side.middle.from +
                      (side.middle.to - side.middle.from) * static_cast<float>(i) / Curve::kSteps;
      while (piece + 1 < path.size() && path[piece].u < u) ++piece;
      const Point &a = path[piece - 1], &b = path[piece];
      side.middle.values[static_cast<size_t>(i)] = a.v + (b.v - a.v) * (u - a.u) / (b.u - a.u);
    }
  }
}

float BrowMotion::Weight(const Side& side, Point p) {
  const float beside = std::max({0.0f, side.middle.from - p.u, p.u - side.middle.to});
  const float along = Gauss(beside / kBeside);
  const float brow = side.middle.At(p.u), off = std::abs(p.v - brow) - kFlat;
  if (p.v < brow) return along * Gauss(std::max(0.0f, off) / kForehead);
  const float upper = std::max(side.eye->upper.At(p.u), brow + 2 * kFlat),
              lower = std::max(side.eye->lower.At(p.u), upper + 0.03f);
  if (p.v < upper) {
    const float down = std::max(0.0f, off) / (upper - brow - kFlat);
    return along * (1 - (1 - kLidShare) * SmoothStep(down));
  }
  return along * kLidShare * (1 - SmoothStep((p.v - upper) / (lower - upper)));
}

float BrowMotion::At(Point p) const {
  return -std::min(1.0f, Weight(sides_[0], p) + Weight(sides_[1], p));
}

}  // namespace talkface::portrait
