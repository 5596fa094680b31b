// SPDX-License-Identifier: MIT
#include "pipelines/cli/canvas.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_easy_font.h>
#pragma GCC diagnostic pop

namespace talkface::cli {
namespace {

struct Vertex {  // as stb_easy_font writes it
  float x, y, z;
  uint8_t color[4];
};

int Clip(float value, uint32_t limit) {
  if (!(value > 0)) return 0;  // also for NaN
  return static_cast<int>(std::min(std::round(value), static_cast<float>(limit)));
}

}  // namespace

void Canvas::Fill(const Rect& rect, Color color) {
  const int left = Clip(rect.x, image_->width), right = Clip(rect.x + rect.width, image_->width);
  const int top = Clip(rect.y, image_->height), bottom = Clip(rect.y + rect.height, image_->height);
  for (int y = top; y < bottom; ++y) {
    uint8_t* pixel = &image_->data[(size_t{image_->width} * y + left) * 4];
    for (int x = left; x < right; ++x, pixel += 4) {
      pixel[0] = color.red, pixel[1] = color.green, pixel[2] = color.blue, pixel[3] = 255;
    }
  }
}

void Canvas::Frame(const Rect& rect, int line_px, Color color) {
  const float line = static_cast<float>(line_px);
  Fill({rect.x, rect.y, rect.width, line}, color);
  Fill({rect.x, rect.y + rect.height - line, rect.width, line}, color);
  Fill({rect.x, rect.y, line, rect.height}, color);
  Fill({rect.x + rect.width - line, rect.y, line, rect.height}, color);
}

void Canvas::Dot(float x, float y, int size_px, Color color) {
  const float size = static_cast<float>(size_px);
  Fill({x - size / 2, y - size / 2, size, size}, color);
}

void Canvas::Text(const std::string& text, float letter_px, Color color) {
  constexpr float kLetterHeight = 7, kMargin = 3;  // of the font, in its own unit
  std::string copy = text;                         // stb's functions take char*
  std::vector<Vertex> vertices(copy.size() * 80);
  const int quads = stb_easy_font_print(0, 0, copy.data(), nullptr, vertices.data(),
                                        static_cast<int>(vertices.size() * sizeof(Vertex)));
  const float width = static_cast<float>(stb_easy_font_width(copy.data())) + 2 * kMargin;
  const float height = static_cast<float>(stb_easy_font_height(copy.data())) + 2 * kMargin;
  const float scale =
      std::min(letter_px / kLetterHeight, static_cast<float>(image_->width) / width);
  Fill({0, 0, width * scale, height * scale}, {24, 24, 24});
  for (int i = 0; i < quads; ++i) {
    const Vertex &first = vertices[i * 4], &opposite = vertices[i * 4 + 2];
    Fill({(first.x + kMargin) * scale, (first.y + kMargin) * scale, (opposite.x - first.x) * scale,
          (opposite.y - first.y) * scale},
         color);
  }
}

}  // namespace talkface::cli
