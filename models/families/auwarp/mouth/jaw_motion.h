// SPDX-License-Identifier: MIT
// How skin goes along when the jaw opens.
#pragma once

#include <memory>

#include "models/portrait/face_geometry.h"
#include "models/portrait/smooth_field.h"

namespace talkface::auwarp {

// Downward travel of the skin for a unit of jaw opening, measured on speakers (see the .cpp): once
// as the upper lip sees it, once as the lower lip does. Equal away from the mouth. The face
// outlives it.
class JawMotion {
 public:
  explicit JawMotion(const portrait::FaceGeometry& face);
  float Upper(portrait::Point p) const;
  float Lower(portrait::Point p) const;

 private:
  float Window(portrait::Point p) const;
  const portrait::FaceGeometry& face_;
  std::unique_ptr<portrait::SmoothField> upper_, lower_;
};

}  // namespace talkface::auwarp
