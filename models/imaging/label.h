// SPDX-License-Identifier: MIT
// The visible synthetic-media mark.
#pragma once

#include <cstdint>
#include <vector>

#include "models/imaging/frame_writer.h"

namespace talkface::imaging {

// "AI-generated" in white on a dark strip, in the lower left corner; immutable.
class Label {
 public:
  // For a frame of this size; on frames too small for the words the strip alone is drawn.
  Label(int frame_width, int frame_height);

  const Rect& area() const { return area_; }
  // Draws the part that lies in `pixels` (RGBA, straight alpha; what is covered gets opaque).
  void Draw(uint8_t* pixels, ptrdiff_t stride, const Rect& where) const;

 private:
  void Letter(float x0, float y0, float x1, float y1);
  Rect area_;
  std::vector<uint8_t> letters_;  // coverage of the letters, 0..255
};

}  // namespace talkface::imaging
