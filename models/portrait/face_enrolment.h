// SPDX-License-Identifier: MIT
// A portrait with everything that depends on it alone.
#pragma once

#include <memory>
#include <vector>

#include "models/core/family.h"
#include "models/portrait/face_geometry.h"

namespace talkface::portrait {

class EnrolledFace : public FaceModel {
 public:
  std::vector<uint8_t> rgba;  // straight alpha, rows without gaps
  uint32_t width = 0, height = 0;
  FaceGeometry geometry;

  Pixels Portrait() const { return {rgba.data(), width, height, 4 * static_cast<size_t>(width)}; }
};

// Copies the pixels and measures the face whose landmarks are `info`. Throws Error{kNoFace} for
// landmarks that are no face.
std::shared_ptr<const EnrolledFace> EnrolWithLandmarks(const Pixels& portrait,
                                                       const FaceInfo& info);

}  // namespace talkface::portrait
