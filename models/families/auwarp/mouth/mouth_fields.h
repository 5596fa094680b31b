// SPDX-License-Identifier: MIT
// The mouth's motion as a few smooth fields over a scene's grid, computed once a scene.
#pragma once

#include <cstddef>
#include <vector>

#include "models/families/auwarp/mouth/mouth_pose.h"
#include "models/portrait/motion_fields.h"
#include "models/portrait/mouth_layer.h"

namespace talkface::auwarp {

// Weights of MouthPose's amplitudes, by node. Fields of the upper lip are valid above the line
// between the lips, those of the lower lip below; each goes on unchanged across the line.
struct MouthFields {
  std::vector<float> jaw_upper, jaw_lower, part_upper, part_lower, thick, corner_v;  // along v
  // Along v and already in face units: a smile's lips meet; a lower lip loses the shape that the
  // upper one pressed into it.
  std::vector<float> close_upper, close_lower, relax;
  std::vector<float> width, corner_u;  // along u

  MouthFields(const portrait::FaceGeometry& face, const portrait::FaceMap& map,
              const portrait::GridShape& grid);

  bool Reach(size_t node) const;
  void Move(const MouthPose& pose, const portrait::NodeMotion& skin) const;
  // As MouthLayer::Part.
  void Part(const MouthPose& pose, size_t count, const float* v, float* upper, float* lower) const;
};

}  // namespace talkface::auwarp
