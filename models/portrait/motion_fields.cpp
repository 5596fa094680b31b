// SPDX-License-Identifier: MIT
#include "models/portrait/motion_fields.h"

#include <algorithm>
#include <cmath>

#include "models/core/falloff.h"
#include "models/portrait/brow_motion.h"

namespace talkface::auwarp {
namespace {

using compose::Rect;

constexpr float kNodesPerFace = 32;  // along the face's height, at least
constexpr int kLargestStep = 32;

// Falloff of the lips' own fields, in face heights.
constexpr float kBelowSigma = 0.10f, kAboveSigma = 0.07f, kWidthSigma = 0.13f, kCornerSigma = 0.06f;
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

// The plain arc from corner to corner that comes nearest to the lower lip's edge.
class LipArc {
 public:
  explicit LipArc(const FaceGeometry& face) {
    left_ = face.lower_lip.At(-face.left);
    right_ = face.lower_lip.At(face.right);
    float sum = 0, norm = 0;
    for (int i = 1; i < 40; ++i) {
      const float u = -face.left + (face.left + face.right) * static_cast<float>(i) / 40;
      const float bend = Bend(face, u);
      sum += bend * (face.lower_lip.At(u) - At(face, u));
      norm += bend * bend;
    }
    depth_ = sum / norm;
  }
  float At(const FaceGeometry& face, float u) const {
    const float share = (u + face.left) / (face.left + face.right);
    return left_ + (right_ - left_) * share + depth_ * Bend(face, u);
  }

 private:
  static float Bend(const FaceGeometry& face, float u) {
    const float t = std::min(1.0f, face.Across(u));
    return 1 - t * t;
  }
  float left_ = 0, right_ = 0, depth_ = 0;
};

class Builder {
 public:
  Builder(const FaceGeometry& face, MotionFields* out)
      : face_(face), jaw_(face), arc_(face), brows_(face), head_half_(HeadHalf(face)), out_(*out) {}

  void Set(int i, const Node& node, bool head_motion) {
    const Point p = node.at;
    const size_t n = static_cast<size_t>(i);
    out_.upper_side[n] = p.v < 0.5f * (face_.upper_lip.At(p.u) + face_.lower_lip.At(p.u));
    out_.jaw_upper[n] = jaw_.Upper(p);
    out_.jaw_lower[n] = jaw_.Lower(p);
    SetLips(n, p);
    SetCorners(n, p);
    if (!head_motion) return;
    SetHead(n, node);
    out_.brow[n] = brows_.At(p) * node.edge;
  }

 private:
  void SetLips(size_t n, Point p) {
    const float parting = Parting(face_, p.u);
    const float top = face_.upper_lip.At(p.u), bottom = face_.lower_lip.At(p.u);
    const float above = std::max(0.0f, top - p.v), below = std::max(0.0f, p.v - bottom);
    // A lip moves as one; the skin beyond it follows less and less, not at all at the nostrils and
    // at the chin.
    const float nostril = face_.points[2].v, chin = face_.points[152].v;
    const float clear = SmoothStep(nostril, 0.5f * (nostril + top), p.v);
    const float upper =
        Gauss(std::max(0.0f, std::min(face_.upper_skin.At(p.u), top) - p.v) / kAboveSigma) * clear;
    const float lower =
        Gauss(std::max(0.0f, p.v - std::max(face_.lower_skin.At(p.u), bottom)) / kBelowSigma) *
        (1 - SmoothStep(0.5f * (bottom + chin), chin, p.v));
    out_.part_upper[n] = -parting * upper;
    out_.part_lower[n] = parting * lower;
    const float gap = p.u > -face_.left && p.u < face_.right ? bottom - top : 0.0f;
    out_.close_upper[n] = kUpperShare * gap * upper;
    out_.close_lower[n] = (kUpperShare - 1) * gap * lower;
    out_.relax[n] = face_.shows_inside ? 0.0f
                                       : (arc_.At(face_, p.u) - bottom) * lower *
                                             (1 - SmoothStep(0.78f, 1.0f, face_.Across(p.u)));
    // Lips swell away from their line, most a little way off it.
    const float t = face_.Across(p.u), off = (below - above) / 0.045f;
    out_.thick[n] =
        1.6f * off * Gauss(off) * (1 - SmoothStep(0.3f, 1.1f, t)) * (above > 0 ? clear : 1.0f);
  }

  void SetCorners(size_t n, Point p) {
    const float half = p.u < 0 ? face_.left : face_.right, side = p.u < 0 ? -1.0f : 1.0f;
    const float t = std::abs(p.u) / half;
    // Linear inside the corners, rounded at them so that no crease shows.
    const float inside = t < 1 ? t * (1.5f - 0.5f * t * t) : 1.0f;
    const float outside = std::max(0.0f, std::abs(p.u) - half);
    const Point corner = face_.points[p.u < 0 ? 61 : 291];
    const float high = (p.v - corner.v) / kWidthSigma;
    // The far side of a turned mouth is seen shorter, and so is its motion.
    const float seen = half / std::max(face_.left, face_.right);
    out_.width[n] = 0.5f * seen * side * inside * Gauss(outside / kWidthSigma) * Gauss(high);
    const float near = Gauss(std::hypot(p.u - corner.u, p.v - corner.v) / kCornerSigma);
    out_.corner_u[n] = seen * side * near;
    out_.corner_v[n] = -0.35f * near;
  }

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
  const JawMotion jaw_;
  const LipArc arc_;
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

bool Moves(const MotionFields& f, size_t n) {
  constexpr float kStill = 1e-4f;  // of an amplitude of a tenth of a face: nothing
  float most = std::max(std::abs(f.jaw_upper[n]), std::abs(f.jaw_lower[n]));
  most = std::max({most, std::abs(f.part_upper[n]), std::abs(f.part_lower[n]), std::abs(f.thick[n]),
                   std::abs(f.corner_u[n]), std::abs(f.width[n]), std::abs(f.brow[n])});
  return std::max(most, f.head[n]) > kStill;
}

// Cells with a moving corner, and one more on each side so that what Write reads is there.
void FindCells(MotionFields* f) {
  f->cells_from.assign(static_cast<size_t>(f->rows - 1), f->columns);
  f->cells_to.assign(static_cast<size_t>(f->rows - 1), 0);
  for (int j = 0; j < f->rows; ++j) {
    for (int i = 0; i < f->columns; ++i) {
      if (!Moves(*f, static_cast<size_t>(j * f->columns + i))) continue;
      for (int row = std::max(0, j - 1); row <= std::min(j, f->rows - 2); ++row) {
        int& from = f->cells_from[static_cast<size_t>(row)];
        int& to = f->cells_to[static_cast<size_t>(row)];
        from = std::min(from, std::max(0, i - 1));
        to = std::max(to, std::min(f->columns - 1, i + 1));
      }
    }
  }
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

float Parting(const FaceGeometry& face, float u) {
  const float t = std::min(1.0f, face.Across(u));
  return (1 - std::pow(t, 2.25f)) * (1 - SmoothStep(0.78f, 1.0f, t));
}

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
  for (std::vector<float>* field :
       {&f.jaw_upper, &f.jaw_lower, &f.part_upper, &f.part_lower, &f.close_upper, &f.close_lower,
        &f.relax, &f.thick, &f.corner_v, &f.width, &f.corner_u, &f.head, &f.head_u, &f.head_v,
        &f.nearness, &f.brow}) {
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
  FindCells(&f);
  FindMouth(face, map, &f);
  return f;
}

}  // namespace talkface::auwarp
