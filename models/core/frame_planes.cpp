// SPDX-License-Identifier: MIT
#include "models/core/frame_planes.h"

#include "models/core/error.h"

namespace talkface {

std::vector<PlaneSize> PlanesOf(const TargetFormat& target) {
  const size_t width = target.width, height = target.height;
  const size_t half_width = (width + 1) / 2, half_height = (height + 1) / 2;
  switch (target.format) {
    case PixelFormat::kI420:
    case PixelFormat::kYV12:
      return {{width, height}, {half_width, half_height}, {half_width, half_height}};
    case PixelFormat::kNV12:
      return {{width, height}, {2 * half_width, half_height}};
    case PixelFormat::kRGB:
    case PixelFormat::kBGR:
      return {{3 * width, height}};
    case PixelFormat::kRGBA:
    case PixelFormat::kBGRA:
    case PixelFormat::kRGBx:
    case PixelFormat::kBGRx:
      return {{4 * width, height}};
  }
  throw Error(Code::kInvalid, "Unknown pixel format.");
}

}  // namespace talkface
