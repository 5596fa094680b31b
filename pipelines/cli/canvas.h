// SPDX-License-Identifier: MIT
// Draws marks and plain text on a picture in memory.
#pragma once

#include <cstdint>
#include <string>

#include "gst/image_file.h"

namespace talkface::cli {

struct Color {
  uint8_t red, green, blue;
};

struct Rect {
  float x, y, width, height;  // pixels
};

// Everything is clipped to the picture, which must outlive the canvas.
class Canvas {
 public:
  explicit Canvas(RgbaImage* image) : image_(image) {}
  void Fill(const Rect& rect, Color color);
  void Frame(const Rect& rect, int line_px, Color color);
  void Dot(float x, float y, int size_px, Color color);  // a square around (x, y)
  // ASCII lines on a dark ground in the top left corner, as wide as the picture has room for, the
  // letters at most `letter_px` high.
  void Text(const std::string& text, float letter_px, Color color);

 private:
  RgbaImage* image_;
};

}  // namespace talkface::cli
