// SPDX-License-Identifier: MIT
#include "models/portrait/face_enrolment.h"

#include <cstring>

namespace talkface::portrait {

std::shared_ptr<const EnrolledFace> EnrolWithLandmarks(const Pixels& portrait,
                                                       const FaceInfo& info) {
  if (portrait.data == nullptr || portrait.width == 0 || portrait.height == 0) {
    throw Error(Code::kInvalid, "The portrait has no pixels.");
  }
  auto face = std::make_shared<EnrolledFace>();
  face->info = info;
  face->width = portrait.width;
  face->height = portrait.height;
  const size_t row = 4 * static_cast<size_t>(portrait.width);
  face->rgba.resize(row * portrait.height);
  for (size_t y = 0; y < portrait.height; ++y)
    std::memcpy(face->rgba.data() + y * row, portrait.data + y * portrait.stride, row);
  face->geometry = MeasureFace(face->Portrait(), info);
  return face;
}

}  // namespace talkface::portrait
