// SPDX-License-Identifier: MIT
// Writes RGBA pixels into frames of any format, whole or part by part.
#pragma once

#include <cstdint>
#include <vector>

#include "models/engine.h"
#include "models/imaging/frame_format.h"

namespace talkface::imaging {

struct Rect {  // pixels [x0, x1) x [y0, y1) of the frame
  int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  bool Empty() const { return x0 >= x1 || y0 >= y1; }
  Rect Intersect(const Rect& other) const;
};

// The pixels of `area`, four bytes each; a row takes `stride` bytes.
struct PixelView {
  const uint8_t* data;
  ptrdiff_t stride;
  Rect area;
  const uint8_t* At(int x, int y) const {
    return data + (y - area.y0) * stride + 4 * static_cast<ptrdiff_t>(x - area.x0);
  }
};

// Immutable; one for each target format. Formats without alpha take colours as they are: composite
// before.
class FrameWriter {
 public:
  explicit FrameWriter(const TargetFormat& target);

  const TargetFormat& target() const { return target_; }
  Rect Frame() const;
  // `rect` grown to whole chroma samples, cut to the frame.
  Rect Align(const Rect& rect) const;
  // All that changes when the pixels of `rect` do, aligned: a chroma sample may look at pixels to
  // its left and above.
  Rect Affected(const Rect& rect) const;
  // What Write reads for an aligned rect: it, and the neighbours that the chroma filter looks at.
  Rect Source(const Rect& aligned) const;
  // Writes the pixels of an aligned rect; `pixels` must hold Source(rect).
  void Write(const PixelView& pixels, const Rect& aligned, const FrameTarget& out) const;

 private:
  void WriteChroma(const PixelView& pixels, const Rect& aligned, const FrameTarget& out) const;
  TargetFormat target_;
  YuvWeights weights_{};
  bool subsampled_;
};

// A finished frame in its target's format, to start every frame from.
class FrameStore {
 public:
  FrameStore(const FrameWriter& writer, const PixelView& whole_frame);
  void CopyTo(const FrameTarget& out) const;
  uint64_t bytes() const { return bytes_.size(); }

 private:
  std::vector<PlaneSize> planes_;
  std::vector<uint8_t> bytes_;
};

}  // namespace talkface::imaging
