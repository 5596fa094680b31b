// SPDX-License-Identifier: MIT
// auwarp's mouth: the portrait's own lips warped along the line between them, and what is seen
// inside drawn behind.
#pragma once

#include <memory>

#include "models/families/auwarp/expression.h"
#include "models/families/auwarp/mouth/mouth_fields.h"
#include "models/families/auwarp/mouth/mouth_interior.h"
#include "models/families/auwarp/mouth/mouth_pose.h"
#include "models/portrait/mouth_layer.h"

namespace talkface::auwarp {

struct WarpedMotion : portrait::MouthMotion {
  MouthPose pose;
  MouthState inside;
};

// `gain` scales every value of the expression.
WarpedMotion MotionOf(const Expression& expression, float gain, const portrait::FaceGeometry& face);

// Its motions are WarpedMotion.
class WarpedMouth : public portrait::MouthLayer {
 public:
  explicit WarpedMouth(const portrait::MouthSite& site);

  bool Reaches(size_t node) const override { return fields_.Reach(node); }
  bool AtRest(const portrait::MouthMotion& motion) const override;
  void Move(const portrait::MouthMotion& motion, const portrait::NodeMotion& skin) const override;
  void Part(const portrait::MouthMotion& motion, size_t count, const float* v, float* upper,
            float* lower) const override;
  void DrawRow(const portrait::MouthMotion& motion, const portrait::MouthRow& row) const override;

 private:
  void DrawPixel(const WarpedMotion& motion, const portrait::MouthRow& row, int index) const;

  const portrait::FaceGeometry& face_;
  const portrait::FaceMap map_;
  const portrait::Patch& skin_;
  const MouthFields fields_;
  const MouthLook look_;
  const MouthInterior interior_;
  const float lip_softness_;  // of the lips' edges in this picture, in face heights
};

// A scene's (portrait::MakeMouth).
std::unique_ptr<const portrait::MouthLayer> MakeWarpedMouth(const portrait::MouthSite& site);

}  // namespace talkface::auwarp
