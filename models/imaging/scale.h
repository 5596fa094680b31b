// SPDX-License-Identifier: MIT
// Puts a picture into a frame: where it goes, and its pixels at that size.
#pragma once

#include <cstdint>
#include <vector>

#include "models/engine.h"
#include "models/imaging/frame_writer.h"

namespace talkface::imaging {

// Point (px, py) of the picture lies at (rect.x0 + px * scale_x, rect.y0 + py * scale_y) in the
// frame, both in pixels counted from the upper left corner of the first pixel.
struct Placement {
  Rect rect;
  double scale_x = 1, scale_y = 1;
};

// With `add_borders` the picture keeps its shape, centred, as large as fits; otherwise it fills the
// frame. A frame that differs from the picture by one pixel at most (even sizes) is not scaled.
Placement Place(uint32_t width, uint32_t height, const TargetFormat& target, bool add_borders,
                double pixel_aspect);

// The picture's pixels for `placement.rect`, straight RGBA, rows without gaps. The native size is
// an exact copy; otherwise Catmull-Rom up, Mitchell down, colours weighted by alpha.
std::vector<uint8_t> Scale(const Pixels& picture, const Placement& placement);

// The picture's pixels, as Scale makes them for `where`, inside the frame: opaque black round them,
// rows without gaps. `frame` begins at 0, 0.
std::vector<uint8_t> Framed(const std::vector<uint8_t>& picture, const Rect& where,
                            const Rect& frame);

// Colours over black, alpha made 255.
void CompositeOverBlack(uint8_t* rgba, size_t pixels);

}  // namespace talkface::imaging
