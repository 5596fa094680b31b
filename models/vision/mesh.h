// SPDX-License-Identifier: MIT
// MediaPipe's face mesh net: 468 landmarks of one face in a region of 192 x 192 pixels.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "models/core/pack.h"
#include "models/vision/crop.h"
#include "models/vision/detector.h"
#include "models/vision/mesh_points.h"
#include "models/vision/net.h"

namespace talkface::vision {

using Landmark = float[3];  // x, y in pixels of the picture, z in the same scale, smaller is nearer

struct Mesh {
  Landmark landmarks[kMeshPoints];
  float presence = 0;  // 0..1: is there a face in the region?
};

// The smallest upright rectangle round landmarks: x, y, width, height.
std::array<float, 4> Hull(const Landmark* landmarks);

// Are all landmarks numbers? Those of damaged weights may not be.
bool IsFinite(const Mesh& mesh);

class MeshNet {
 public:
  // Takes the pack's file "mesh". Throws Error{kBadPack}.
  explicit MeshNet(const Pack& pack);

  // MediaPipe's own regions of interest: the square round the face, its eyes level, 1.5 times its
  // size. Landmarks place it better than the detector does.
  Region RegionOf(const Hit& hit) const;
  Region RegionOf(const Landmark* landmarks) const;

  // A mesh that is not finite has a presence of 0.
  Mesh Trace(const Pixels& picture, const Region& region) const;

  uint64_t MemoryUse() const { return net_.MemoryUse(); }

 private:
  Region RegionOf(const std::array<float, 4>& box, Point right_eye, Point left_eye) const;

  Net net_;
  int input_px_ = 0;
  float region_scale_ = 0;
};

}  // namespace talkface::vision
