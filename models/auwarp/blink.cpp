// SPDX-License-Identifier: MIT
#include "models/auwarp/blink.h"

#include <algorithm>
#include <cmath>

namespace talkface::auwarp {
namespace {

// In face heights.
constexpr float kAboveLid = 0.008f;  // the open lid's own lashes are covered too
constexpr float kBelowLid = 0.003f;
constexpr float kSkinBelow = 0.024f;  // where skin below the eye begins
constexpr float kMirror = 0.7f;       // the skin is squeezed a little
constexpr float kCrease = 0.022f;     // above the open lid
constexpr float kLash = 0.0045f;
constexpr float kHeadReach = 0.04f;  // more than the head ever moves
constexpr float kMargin = 0.03f;     // of the painted skin round the eye

struct Mean {
  float sum[3] = {0, 0, 0};
  int count = 0;
  void Add(const Patch& portrait, Point at) {
    uint8_t p[4];
    portrait.SampleOne(static_cast<int32_t>(std::lrintf(256 * at.u)),
                       static_cast<int32_t>(std::lrintf(256 * at.v)), p);
    for (int c = 0; c < 3; ++c) sum[c] += static_cast<float>(p[c]);
    ++count;
  }
  float Get(int c) const { return sum[c] / static_cast<float>(count); }
};

// Skin along the eye, averaged sideways so that single lashes or moles leave no streaks.
Mean Along(const Patch& portrait, const FaceMap& map, Point at, float reach) {
  Mean mean;
  for (int k = -3; k <= 3; ++k)
    mean.Add(portrait, map.ToFrame({at.u + reach * static_cast<float>(k), at.v}));
  return mean;
}

}  // namespace

Lids::Lids(const FaceGeometry& face, const FaceMap& map, const Patch& portrait) : map_(map) {
  for (const Eye& eye : face.eyes) {
    if (!eye.can_close) continue;
    const auto [top, ignored_top] =
        std::minmax_element(eye.upper.values.begin(), eye.upper.values.end());
    const auto [ignored_bottom, bottom] =
        std::minmax_element(eye.lower.values.begin(), eye.lower.values.end());
    float x0 = 1e9f, y0 = 1e9f, x1 = -1e9f, y1 = -1e9f;
    for (int i = 0; i < 4; ++i) {
      const Point p = map.ToFrame({i % 2 == 0 ? eye.upper.from - kMargin : eye.upper.to + kMargin,
                                   i / 2 == 0 ? *top - kMargin : *bottom + kMargin});
      x0 = std::min(x0, p.u), x1 = std::max(x1, p.u);
      y0 = std::min(y0, p.v), y1 = std::max(y1, p.v);
    }
    const compose::Rect box{static_cast<int>(x0), static_cast<int>(y0), static_cast<int>(x1) + 2,
                            static_cast<int>(y1) + 2};
    const compose::Rect area = box.Intersect(portrait.area());
    if (area.Empty()) continue;
    Lid lid{&eye, area, Patch()};
    const int more = static_cast<int>(kHeadReach * map.PixelsPerUnit()) + 1;
    lid.reach = {area.x0 - more, area.y0 - more, area.x1 + more, area.y1 + more};
    lid.skin.Fill(portrait.At(area.x0, area.y0),
                  4 * static_cast<size_t>(portrait.area().x1 - portrait.area().x0 + 1), area);
    Paint(portrait, &lid);
    lids_.push_back(std::move(lid));
  }
}

void Lids::Paint(const Patch& portrait, Lid* lid) const {
  const compose::Rect area = lid->skin.area();
  for (int x = area.x0; x < area.x1; ++x) {
    for (int y = area.y0; y < area.y1; ++y) {
      const Point p = map_.ToFace(static_cast<float>(x), static_cast<float>(y));
      const float upper = lid->eye->upper.At(p.u), lower = lid->eye->lower.At(p.u);
      const float below = lower + kSkinBelow;
      const Mean crease = Along(portrait, map_, {p.u, upper - kCrease}, 0.006f);
      const Mean cheek = Along(portrait, map_, {p.u, below + 0.01f}, 0.006f);
      const float v = std::clamp(p.v, upper - kAboveLid, lower + kBelowLid);
      const Mean skin =
          Along(portrait, map_, {p.u, below + kMirror * (lower + kBelowLid - v)}, 0.0015f);
      const float down = (v - upper + kAboveLid) / (lower - upper + kAboveLid + kBelowLid);
      uint8_t* out = lid->skin.At(x, y);
      for (int c = 0; c < 3; ++c) {
        const float tone = std::clamp((crease.Get(c) + 4) / (cheek.Get(c) + 4), 0.66f, 1.2f);
        const float value = skin.Get(c) * (tone + (1 - tone) * 0.55f * down);
        out[c] = static_cast<uint8_t>(std::lrintf(std::clamp(value, 0.0f, 255.0f)));
      }
    }
  }
  lid->skin.RepeatEdge();
}

void Lids::DrawLid(const Lid& lid, const Row& row, float shut) const {
  const Curve &upper = lid.eye->upper, &lower = lid.eye->lower;
  const float unit = map_.PixelsPerUnit(), lash = std::max(kLash, 0.7f / unit);
  const int from = std::max(lid.reach.x0, row.x0) - row.x0,
            to = std::min(lid.reach.x1, row.x0 + row.count) - row.x0;
  for (int i = from; i < to; ++i) {
    const Point p = map_.ToFace(static_cast<float>(row.from_x[i]) / 256.0f,
                                static_cast<float>(row.from_y[i]) / 256.0f);
    if (p.u <= upper.from || p.u >= upper.to) continue;
    const float x = (p.u - upper.from) / (upper.to - upper.from);
    const float arch = std::min(1.0f, 6.0f * std::min(x, 1 - x));  // nothing at the eye's corners
    const float top = upper.At(p.u) - kAboveLid * arch;
    const float edge = top + shut * (lower.At(p.u) + kBelowLid * arch - top);
    const float over = std::clamp((edge - p.v) * unit + 0.5f, 0.0f, 1.0f) *
                       std::clamp((p.v - top) / kAboveLid + 0.3f, 0.0f, 1.0f);
    const float off = (p.v - edge) / lash;
    const float line = off * off < 4 ? 0.42f * arch * (1 - off * off / 4) * (1 - off * off / 4) : 0;
    if (over <= 0 && line <= 0) continue;
    uint8_t skin[4];
    lid.skin.SampleOne(row.from_x[i], row.from_y[i], skin);
    uint8_t* out = row.pixels + 4 * i;
    for (int c = 0; c < 3; ++c) {
      const float value = static_cast<float>(out[c]) +
                          over * (static_cast<float>(skin[c]) - static_cast<float>(out[c]));
      out[c] = static_cast<uint8_t>(std::lrintf(value * (1 - line)));
    }
  }
}

void Lids::Draw(const Row& row, float shut) const {
  for (const Lid& lid : lids_) {
    if (row.y >= lid.reach.y0 && row.y < lid.reach.y1) DrawLid(lid, row, shut);
  }
}

}  // namespace talkface::auwarp
