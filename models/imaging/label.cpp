// SPDX-License-Identifier: MIT
#include "models/imaging/label.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include <stb/stb_easy_font.h>
#pragma GCC diagnostic pop

namespace talkface::imaging {
namespace {

constexpr float kTextHeight = 12.0f, kPadding = 3.0f;  // the font's own units
constexpr int kStripAlpha = 150;

struct Vertex {  // as stb_easy_font_print writes it
  float x, y, z;
  uint8_t colour[4];
};

}  // namespace

Label::Label(int frame_width, int frame_height) {
  char text[] = "AI-generated";
  const float text_width = static_cast<float>(stb_easy_font_width(text));
  // A line of 2.5 % of the frame's height is read on a telephone; the font is drawn for 10 pixels.
  float scale = std::max(1.0f, 0.025f * static_cast<float>(frame_height) / 8.0f);
  scale = std::min(scale, static_cast<float>(frame_width) / (text_width + 2 * kPadding));
  const int width =
      std::min(frame_width, static_cast<int>(std::ceil(scale * (text_width + 2 * kPadding))));
  const int height =
      std::min(frame_height, static_cast<int>(std::ceil(scale * (kTextHeight + kPadding))));
  area_ = {0, frame_height - height, width, frame_height};
  letters_.assign(static_cast<size_t>(width) * height, 0);
  if (scale < 0.6f) return;
  std::vector<Vertex> vertices(4 * 1024);
  const int quads = stb_easy_font_print(0, 0, text, nullptr, vertices.data(),
                                        static_cast<int>(vertices.size() * sizeof(Vertex)));
  for (int i = 0; i < quads; ++i) {
    const Vertex &from = vertices[4 * i], &to = vertices[4 * i + 2];
    Letter(scale * (from.x + kPadding), scale * (from.y + kPadding), scale * (to.x + kPadding),
           scale * (to.y + kPadding));
  }
}

// Adds a box of a letter: each pixel by the share of it that is covered.
void Label::Letter(float x0, float y0, float x1, float y1) {
  const int width = area_.x1 - area_.x0, height = area_.y1 - area_.y0;
  for (int y = std::max(0, static_cast<int>(y0)); y < std::min<float>(height, y1); ++y) {
    const float rows = std::min(y1, y + 1.0f) - std::max(y0, static_cast<float>(y));
    for (int x = std::max(0, static_cast<int>(x0)); x < std::min<float>(width, x1); ++x) {
      const float columns = std::min(x1, x + 1.0f) - std::max(x0, static_cast<float>(x));
      uint8_t& at = letters_[static_cast<size_t>(y) * width + x];
      at = static_cast<uint8_t>(std::min(255.0f, at + 255.0f * rows * columns));
    }
  }
}

void Label::Draw(uint8_t* pixels, ptrdiff_t stride, const Rect& where) const {
  const Rect part = area_.Intersect(where);
  if (part.Empty()) return;
  const int width = area_.x1 - area_.x0;
  for (int y = part.y0; y < part.y1; ++y) {
    uint8_t* p = pixels + (y - where.y0) * stride + 4 * static_cast<ptrdiff_t>(part.x0 - where.x0);
    const uint8_t* letter =
        &letters_[static_cast<size_t>(y - area_.y0) * width + part.x0 - area_.x0];
    for (int x = part.x0; x < part.x1; ++x, p += 4, ++letter) {
      for (int c = 0; c < 3; ++c) {
        const int dark = p[c] * p[3] / 255 * (255 - kStripAlpha) / 255;
        p[c] = static_cast<uint8_t>(dark + (255 - dark) * *letter / 255);
      }
      p[3] = static_cast<uint8_t>(std::max<int>({p[3], kStripAlpha, *letter}));
    }
  }
}

}  // namespace talkface::imaging
