// SPDX-License-Identifier: MIT
#include "models/families/auwarp/mouth/mouth_fields.h"

#include <algorithm>
#include <cmath>

#include "models/core/falloff.h"
#include "models/families/auwarp/mouth/jaw_motion.h"

namespace talkface::auwarp {
namespace {

using portrait::FaceGeometry;
using portrait::kUpperShare;
using portrait::Point;

// Falloff of the lips' own fields, in face heights.
constexpr float kBelowSigma = 0.10f, kAboveSigma = 0.07f, kWidthSigma = 0.13f, kCornerSigma = 0.06f;

// The share of the lips' parting at u: 1 in the mouth's middle, 0 at and beyond its corners.
float Parting(const FaceGeometry& face, float u) {
  const float t = std::min(1.0f, face.Across(u));
  return (1 - std::pow(t, 2.25f)) * (1 - SmoothStep(0.78f, 1.0f, t));
}

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
  Builder(const FaceGeometry& face, MouthFields* out)
      : face_(face), jaw_(face), arc_(face), out_(out) {}

  void Set(size_t n, Point p) {
    out_->jaw_upper[n] = jaw_.Upper(p);
    out_->jaw_lower[n] = jaw_.Lower(p);
    SetLips(n, p);
    SetCorners(n, p);
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
    out_->part_upper[n] = -parting * upper;
    out_->part_lower[n] = parting * lower;
    const float gap = p.u > -face_.left && p.u < face_.right ? bottom - top : 0.0f;
    out_->close_upper[n] = kUpperShare * gap * upper;
    out_->close_lower[n] = (kUpperShare - 1) * gap * lower;
    out_->relax[n] = face_.shows_inside ? 0.0f
                                        : (arc_.At(face_, p.u) - bottom) * lower *
                                              (1 - SmoothStep(0.78f, 1.0f, face_.Across(p.u)));
    // Lips swell away from their line, most a little way off it.
    const float t = face_.Across(p.u), off = (below - above) / 0.045f;
    out_->thick[n] =
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
    out_->width[n] = 0.5f * seen * side * inside * Gauss(outside / kWidthSigma) * Gauss(high);
    const float near = Gauss(std::hypot(p.u - corner.u, p.v - corner.v) / kCornerSigma);
    out_->corner_u[n] = seen * side * near;
    out_->corner_v[n] = -0.35f * near;
  }

  const FaceGeometry& face_;
  const JawMotion jaw_;
  const LipArc arc_;
  MouthFields* const out_;
};

}  // namespace

MouthFields::MouthFields(const FaceGeometry& face, const portrait::FaceMap& map,
                         const portrait::GridShape& grid) {
  for (std::vector<float>* field :
       {&jaw_upper, &jaw_lower, &part_upper, &part_lower, &thick, &corner_v, &close_upper,
        &close_lower, &relax, &width, &corner_u}) {
    field->resize(static_cast<size_t>(grid.Count()));
  }
  Builder builder(face, this);
  for (int node = 0; node < grid.Count(); ++node) {
    builder.Set(static_cast<size_t>(node),
                map.ToFace(static_cast<float>(grid.X(node)), static_cast<float>(grid.Y(node))));
  }
}

bool MouthFields::Reach(size_t n) const {
  const float most = std::max({std::abs(jaw_upper[n]), std::abs(jaw_lower[n]),
                               std::abs(part_upper[n]), std::abs(part_lower[n]), std::abs(thick[n]),
                               std::abs(corner_u[n]), std::abs(width[n])});
  return most > portrait::kStillWeight;
}

void MouthFields::Move(const MouthPose& pose, const portrait::NodeMotion& skin) const {
  for (size_t i = 0; i < skin.count; ++i) {
    skin.u[i] = pose.width * width[i] + pose.corner * corner_u[i];
    skin.v[i] = pose.thick * thick[i] + pose.corner * corner_v[i];
  }
}

void MouthFields::Part(const MouthPose& pose, size_t count, const float* v, float* upper,
                       float* lower) const {
  for (size_t i = 0; i < count; ++i) {
    upper[i] =
        v[i] + pose.jaw * jaw_upper[i] + pose.part_up * part_upper[i] + pose.close * close_upper[i];
    lower[i] = v[i] + pose.jaw * jaw_lower[i] + pose.part_down * part_lower[i] +
               pose.close * close_lower[i] + pose.relax * relax[i];
  }
}

}  // namespace talkface::auwarp
