// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace talkface::vision {

// FaceInfo::landmark_count of MediaPipe's face mesh, whose points are known by their numbers.
constexpr uint32_t kMeshPoints = 468;

}  // namespace talkface::vision
