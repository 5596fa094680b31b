// SPDX-License-Identifier: MIT
// Finds a face and its 468-point mesh in a picture with MediaPipe's detector and mesh nets, run by
// kernels of our own (net_kernels.h).
#pragma once

#include <memory>
#include <string>

#include "models/engine.h"

namespace talkface::vision {

// Both nets, loaded once a process and shared; immutable, any thread.
class FaceFinder {
 public:
  virtual ~FaceFinder() = default;

  // The largest usable face of a still portrait, for enrolment: detector at a score of 0.5, then at
  // 0.2 with a warning; further hits below 0.6 or below a quarter of the largest one's area are
  // dropped; several faces give a warning; none, a face turned more than 60 degrees, or one without
  // a mesh throws Error{kNoFace} that says which.
  virtual void FindPortrait(const Pixels& picture, FaceInfo* out) const = 0;

  // Video: follows `previous` (null: searches). Throws Error{kNoFace} when the face is lost. No
  // warnings, no pose limit.
  virtual void FindFrame(const Pixels& picture, const FaceInfo* previous, FaceInfo* out) const = 0;

  virtual uint64_t MemoryUse() const = 0;
};

// Opens the pack "mediapipe-face" along the search path. Throws Error{kNotFound | kBadPack}.
// One instance per process is shared.
std::shared_ptr<const FaceFinder> OpenFaceFinder(const std::string& search_path);

}  // namespace talkface::vision
