// SPDX-License-Identifier: MIT
#include "models/imaging/scale.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "models/core/error.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wsign-compare"
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#define STB_IMAGE_RESIZE_STATIC
#include <stb/stb_image_resize.h>
#pragma GCC diagnostic pop

namespace talkface::imaging {
namespace {

bool IsNative(uint32_t picture, uint32_t frame) {
  return std::abs(static_cast<int64_t>(picture) - static_cast<int64_t>(frame)) <= 1;
}

// A side of the fitted picture: even, so that its edge falls between chroma samples, unless it
// fills the frame.
int FittedSide(double exact, int frame) {
  const int even = 2 * static_cast<int>(std::lround(exact / 2));
  return exact > frame - 1 ? frame : std::clamp(even, std::min(2, frame), frame);
}

std::vector<uint8_t> Copy(const Pixels& picture, int width, int height) {
  std::vector<uint8_t> out(static_cast<size_t>(width) * height * 4);
  const int copied = std::min<int>(width, static_cast<int>(picture.width));
  for (int y = 0; y < height; ++y) {
    const int from = std::min<int>(y, static_cast<int>(picture.height) - 1);
    const uint8_t* row = picture.data + static_cast<size_t>(from) * picture.stride;
    uint8_t* to = out.data() + static_cast<size_t>(y) * width * 4;
    std::memcpy(to, row, 4 * static_cast<size_t>(copied));
    for (int x = copied; x < width; ++x) std::memcpy(to + 4 * x, row + 4 * (copied - 1), 4);
  }
  return out;
}

}  // namespace

Placement Place(uint32_t width, uint32_t height, const TargetFormat& target, bool add_borders,
                double pixel_aspect) {
  const int frame_width = static_cast<int>(target.width),
            frame_height = static_cast<int>(target.height);
  Placement placement;
  placement.rect = {0, 0, frame_width, frame_height};
  if (pixel_aspect == 1.0 && IsNative(width, target.width) && IsNative(height, target.height)) {
    return placement;
  }
  if (add_borders) {
    const double fit =
        std::min(frame_width * pixel_aspect / width, frame_height / static_cast<double>(height));
    const int w = FittedSide(width * fit / pixel_aspect, frame_width);
    const int h = FittedSide(height * fit, frame_height);
    const int x = (frame_width - w) / 2 & ~1, y = (frame_height - h) / 2 & ~1;
    placement.rect = {x, y, x + w, y + h};
  }
  placement.scale_x = static_cast<double>(placement.rect.x1 - placement.rect.x0) / width;
  placement.scale_y = static_cast<double>(placement.rect.y1 - placement.rect.y0) / height;
  return placement;
}

std::vector<uint8_t> Scale(const Pixels& picture, const Placement& placement) {
  const int width = placement.rect.x1 - placement.rect.x0,
            height = placement.rect.y1 - placement.rect.y0;
  if (placement.scale_x == 1.0 && placement.scale_y == 1.0) return Copy(picture, width, height);
  std::vector<uint8_t> out(static_cast<size_t>(width) * height * 4);
  const int done = stbir_resize_uint8_generic(
      picture.data, static_cast<int>(picture.width), static_cast<int>(picture.height),
      static_cast<int>(picture.stride), out.data(), width, height, 4 * width, 4, 3, 0,
      STBIR_EDGE_CLAMP, STBIR_FILTER_DEFAULT, STBIR_COLORSPACE_LINEAR, nullptr);
  if (done == 0) {
    throw Error(Code::kNoMemory, "Not enough memory to scale the portrait to " +
                                     std::to_string(width) + " x " + std::to_string(height) + ".");
  }
  return out;
}

std::vector<uint8_t> Framed(const std::vector<uint8_t>& picture, const Rect& where,
                            const Rect& frame) {
  const size_t width = static_cast<size_t>(frame.x1), height = static_cast<size_t>(frame.y1);
  if (where.x0 == 0 && where.y0 == 0 && where.x1 == frame.x1 && where.y1 == frame.y1)
    return picture;
  std::vector<uint8_t> out(4 * width * height, 0);
  for (size_t i = 3; i < out.size(); i += 4) out[i] = 255;
  const size_t row = 4 * static_cast<size_t>(where.x1 - where.x0);
  for (int y = where.y0; y < where.y1; ++y) {
    std::memcpy(&out[4 * (static_cast<size_t>(y) * width + static_cast<size_t>(where.x0))],
                &picture[static_cast<size_t>(y - where.y0) * row], row);
  }
  return out;
}

void CompositeOverBlack(uint8_t* rgba, size_t pixels) {
  for (size_t i = 0; i < pixels; ++i) {
    uint8_t* p = rgba + 4 * i;
    const int alpha = p[3];
    if (alpha == 255) continue;
    for (int c = 0; c < 3; ++c) p[c] = static_cast<uint8_t>((p[c] * alpha + 127) / 255);
    p[3] = 255;
  }
}

}  // namespace talkface::imaging
