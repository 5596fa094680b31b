// SPDX-License-Identifier: MIT
#include "models/vision/mesh.h"

#include <algorithm>
#include <cmath>

#include "models/vision/settings.h"

namespace talkface::vision {
namespace {

constexpr int kRightEyeCorner = 33, kLeftEyeCorner = 263;  // the outer ones

}  // namespace

std::array<float, 4> Hull(const Landmark* landmarks) {
  float left = landmarks[0][0], right = left, top = landmarks[0][1], bottom = top;
  for (uint32_t i = 1; i < kMeshPoints; ++i) {
    left = std::min(left, landmarks[i][0]);
    right = std::max(right, landmarks[i][0]);
    top = std::min(top, landmarks[i][1]);
    bottom = std::max(bottom, landmarks[i][1]);
  }
  return {left, top, right - left, bottom - top};
}

bool IsFinite(const Mesh& mesh) {
  for (const Landmark& landmark : mesh.landmarks)
    for (const float value : landmark)
      if (!std::isfinite(value)) return false;
  return std::isfinite(mesh.presence);
}

MeshNet::MeshNet(const Pack& pack)
    : net_(pack.Tensors("mesh")),
      input_px_(static_cast<int>(pack.Setting("mesh_input_px").Whole(16, 1024))),
      region_scale_(static_cast<float>(pack.Setting("mesh_region_scale").Number(1, 4))) {
  RequireInput(pack, "mesh_input_px", net_.InputShape(), input_px_);
  RequireOutputs(pack, "mesh", net_.OutputCounts(), {3 * kMeshPoints, 1});
}

Region MeshNet::RegionOf(const std::array<float, 4>& box, Point right_eye, Point left_eye) const {
  return {box[0] + box[2] / 2, box[1] + box[3] / 2, region_scale_ * std::max(box[2], box[3]),
          std::atan2(left_eye.y - right_eye.y, left_eye.x - right_eye.x)};
}

Region MeshNet::RegionOf(const Hit& hit) const {
  return RegionOf({hit.x, hit.y, hit.width, hit.height}, hit.points[0], hit.points[1]);
}

Region MeshNet::RegionOf(const Landmark* landmarks) const {
  const Landmark &right = landmarks[kRightEyeCorner], &left = landmarks[kLeftEyeCorner];
  return RegionOf(Hull(landmarks), {right[0], right[1]}, {left[0], left[1]});
}

Mesh MeshNet::Trace(const Pixels& picture, const Region& region) const {
  const auto outputs = net_.Run(Crop(picture, region, input_px_, Border::kNearest, 0.0f, 1.0f));
  const float unit = 1.0f / static_cast<float>(input_px_);
  Mesh mesh;
  for (uint32_t i = 0; i < kMeshPoints; ++i) {
    const float* raw = &outputs[0][3 * i];
    const Point point = FromRegion(region, raw[0] * unit, raw[1] * unit);
    mesh.landmarks[i][0] = point.x;
    mesh.landmarks[i][1] = point.y;
    mesh.landmarks[i][2] = raw[2] * unit * region.side;
  }
  mesh.presence = 1.0f / (1.0f + std::exp(-outputs[1][0]));
  if (!IsFinite(mesh)) mesh.presence = 0;
  return mesh;
}

}  // namespace talkface::vision
