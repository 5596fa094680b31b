// SPDX-License-Identifier: MIT
#include "models/portrait/motion_fields.h"

#include <algorithm>
#include <cmath>

#include "models/core/falloff.h"
#include "models/portrait/brow_motion.h"

namespace talkface::portrait {
namespace {

using imaging::Rect;

constexpr float kNodesPerFace = 32;  // along the face's height, at least
constexpr int kLargestStep = 32;

// The head's ellipse (centre: the face box's) and where its motion has faded out.
constexpr float kHeadHalfWidth = 0.42f, kHeadHalfHeight = 0.60f, kHeadFade = 1.9f;
// Towards the picture's edge head motion fades over this share of the face's height.
constexpr float kEdgeFade = 0.12f;
// What may be seen when the lips part: above the rest line, below it, beyond the corners.
constexpr float kMouthAbove = 0.08f, kMouthBelow = 0.20f, kMouthBeside = 0.05f;

// Nothing moves outside twice the face's box.
Point HeadHalf(const FaceGeometry& face) {
  return {std::min(kHeadHalfWidth, 2 * face.box_half.u / kHeadFade),
          std::min(kHeadHalfHeight, 2 * face.box_half.v / kHeadFade)};
}

struct Node {
  Point at;        // face units
  float edge = 1;  // 0 at the picture's edge, 1 well inside
};

class Builder {
 public:
  Builder(const FaceGeometry& face, MotionFields* out)
      : face_(face), brows_(face), head_half_(HeadHalf(face)), out_(*out) {}

  void Set(int i, const Node& node, bool head_motion) {
    const Point p = node.at;
    const size_t n = static_cast<size_t>(i);
    out_.upper_side[n] = p.v < 0.5f * (face_.upper_lip.At(p.u) + face_.lower_lip.At(p.u));
    if (!head_motion) return;
    SetHead(n, node);
    out_.brow[n] = brows_.At(p) * node.edge;
  }

 private:
  void SetHead(size_t n, const Node& node) {
    const float u = node.at.u - face_.box_centre.u, v = node.at.v - face_.box_centre.v;
    const float r = std::hypot(u / head_half_.u, v / head_half_.v);
    const float share = (1 - SmoothStep(1.0f, kHeadFade, r)) * node.edge;
    out_.head[n] = share;
    out_.head_u[n] = share * u;
    out_.head_v[n] = share * v;
    out_.nearness[n] = share * Gauss(std::hypot(u, v + 0.05f) / 0.25f);
  }

  const FaceGeometry& face_;
  const BrowMotion brows_;
  const Point head_half_;
  MotionFields& out_;
};

// Everything that can move, as a box in the frame.
Rect Reach(const FaceGeometry& face, const FaceMap& map, bool head_motion) {
  Point half{1.7f * face.box_half.u, 1.7f * face.box_half.v};
  if (head_motion) {
    const Point head = HeadHalf(face);
    half.u = std::max(half.u, head.u * kHeadFade);
    half.v = std::max(half.v, head.v * kHeadFade);
  }
  float x0 = 1e9f, y0 = 1e9f, x1 = -1e9f, y1 = -1e9f;
  for (int i = 0; i < 4; ++i) {
    const Point p = map.ToFrame({face.box_centre.u + (i % 2 == 0 ? -half.u : half.u),
                                 face.box_centre.v + (i / 2 == 0 ? -half.v : half.v)});
    x0 = std::min(x0, p.u), x1 = std::max(x1, p.u);
    y0 = std::min(y0, p.v), y1 = std::max(y1, p.v);
  }
  return {static_cast<int>(std::floor(x0)), static_cast<int>(std::floor(y0)),
          static_cast<int>(std::ceil(x1)) + 1, static_cast<int>(std::ceil(y1)) + 1};
}

void FindMouth(const FaceGeometry& face, const FaceMap& map, MotionFields* f) {
  f->mouth_from = f->columns, f->mouth_to = 0, f->mouth_top = f->rows, f->mouth_bottom = 0;
  for (int j = 0; j < f->rows; ++j) {
    for (int i = 0; i < f->columns; ++i) {
      const Point p = map.ToFace(static_cast<float>(f->x0 + i * f->step),
                                 static_cast<float>(f->y0 + j * f->step));
      const float cell = static_cast<float>(2 * f->step) / map.PixelsPerUnit();
      if (p.u < -face.left - kMouthBeside - cell || p.u > face.right + kMouthBeside + cell ||
          p.v < face.upper_lip.At(p.u) - kMouthAbove - cell ||
          p.v > face.lower_lip.At(p.u) + kMouthBelow + cell) {
        continue;
      }
      f->mouth_from = std::min(f->mouth_from, i), f->mouth_to = std::max(f->mouth_to, i);
      f->mouth_top = std::min(f->mouth_top, j), f->mouth_bottom = std::max(f->mouth_bottom, j);
    }
  }
}

}  // namespace

FaceMap::FaceMap(const FaceGeometry& face, double scale_x, double scale_y, double left,
                 double top) {
  const double h = face.height_px;
  x = static_cast<float>(left + scale_x * face.x - 0.5);
  y = static_cast<float>(top + scale_y * face.y - 0.5);
  xu = static_cast<float>(scale_x * h * face.cos), xv = static_cast<float>(-scale_x * h * face.sin);
  yu = static_cast<float>(scale_y * h * face.sin), yv = static_cast<float>(scale_y * h * face.cos);
  const float det = xu * yv - xv * yu;
  unit_px = std::hypot(xv, yv);
  ux = yv / det, uy = -xv / det, vx = -yu / det, vy = xu / det;
}

MotionFields BuildMotionFields(const FaceGeometry& face, const FaceMap& map, const Rect& picture,
                               bool head_motion) {
  MotionFields f;
  while (f.step < kLargestStep && 2 * f.step * kNodesPerFace <= map.PixelsPerUnit()) {
    f.step *= 2, ++f.log2_step;
  }
  const Rect reach = Reach(face, map, head_motion).Intersect(picture);
  if (reach.Empty()) return f;
  f.x0 = reach.x0 & ~1, f.y0 = reach.y0 & ~1;
  f.columns = (reach.x1 - f.x0 + f.step - 1) / f.step + 1;
  f.rows = (reach.y1 - f.y0 + f.step - 1) / f.step + 1;
  const size_t count = static_cast<size_t>(f.Count());
  for (std::vector<float>* field : {&f.head, &f.head_u, &f.head_v, &f.nearness, &f.brow}) {
    field->assign(count, 0.0f);
  }
  f.upper_side.assign(count, 0);
  Builder builder(face, &f);
  const float fade = kEdgeFade * map.PixelsPerUnit();
  for (int j = 0; j < f.rows; ++j) {
    for (int i = 0; i < f.columns; ++i) {
      const int x = f.x0 + i * f.step, y = f.y0 + j * f.step;
      const int inside =
          std::min({x - picture.x0, picture.x1 - 1 - x, y - picture.y0, picture.y1 - 1 - y});
      Node node{map.ToFace(static_cast<float>(x), static_cast<float>(y))};
      node.edge = SmoothStep(0, fade, static_cast<float>(inside));
      builder.Set(j * f.columns + i, node, head_motion);
    }
  }
  FindMouth(face, map, &f);
  return f;
}

// Cells with a moving corner, and one more on each side so that what Write reads is there.
void FindCells(const std::function<bool(size_t node)>& mouth, MotionFields* f) {
  if (f->Count() == 0) return;
  f->cells_from.assign(static_cast<size_t>(f->rows - 1), f->columns);
  f->cells_to.assign(static_cast<size_t>(f->rows - 1), 0);
  for (int j = 0; j < f->rows; ++j) {
    for (int i = 0; i < f->columns; ++i) {
      const size_t node = static_cast<size_t>(j * f->columns + i);
      if (std::max(std::abs(f->brow[node]), f->head[node]) <= kStillWeight && !mouth(node))
        continue;
      for (int row = std::max(0, j - 1); row <= std::min(j, f->rows - 2); ++row) {
        int& from = f->cells_from[static_cast<size_t>(row)];
        int& to = f->cells_to[static_cast<size_t>(row)];
        from = std::min(from, std::max(0, i - 1));
        to = std::max(to, std::min(f->columns - 1, i + 1));
      }
    }
  }
}

}  // namespace talkface::portrait
