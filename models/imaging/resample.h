// SPDX-License-Identifier: MIT
// Pictures made smaller and turned, to the byte as Pillow 9.5 and OpenCV 4 and 5 do it: networks
// that were trained on one library's resampling must see the same pixels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace talkface::imaging {

// Rows of pixels, top first; channels side by side.
template <typename Value>
struct Image {
  Image(int width_px, int height_px, int channel_count)
      : width(width_px),
        height(height_px),
        channels(channel_count),
        values(static_cast<size_t>(width_px) * height_px * channel_count) {}
  Value* Row(int y) { return values.data() + static_cast<size_t>(y) * width * channels; }
  const Value* Row(int y) const {
    return values.data() + static_cast<size_t>(y) * width * channels;
  }

  int width, height, channels;
  std::vector<Value> values;
};
using ByteImage = Image<uint8_t>;
using RealImage = Image<double>;

// x' = m[0] x + m[1] y + m[2], y' = m[3] x + m[4] y + m[5].
using Affine = std::array<double, 6>;

// Pillow's Image.resize(BICUBIC): a = -0.5, widened when making smaller (antialiased), 22-bit
// weights, rounded to bytes after the horizontal pass.
ByteImage ResizeBicubic(const ByteImage& image, int width, int height);

// OpenCV's resize(INTER_LINEAR), not antialiased: bytes with 11-bit weights, or doubles.
ByteImage ResizeBilinear(const ByteImage& image, int width, int height);
RealImage ResizeBilinear(const RealImage& image, int width, int height);

// OpenCV's warpAffine(INTER_LINEAR) of doubles: `forward` takes the image's points to the result's;
// places are rounded to 1/32 px; `border` lies around the image.
RealImage WarpAffine(const RealImage& image, const Affine& forward, int width, int height,
                     double border);

struct PixelPoint {
  int x, y;
};

// OpenCV's fillPoly of one polygon: its inside and its outline get `value`. What lies outside the
// image is left out, as in OpenCV 5 (others draw some pixels of such an outline otherwise).
void FillPolygon(const std::vector<PixelPoint>& corners, uint8_t value, ByteImage* image);

}  // namespace talkface::imaging
