// SPDX-License-Identifier: MIT
#include "models/portrait/blink.h"

#include <algorithm>
#include <cmath>

#include "models/core/falloff.h"

namespace talkface::portrait {
namespace {

// In face heights.
constexpr float kSoft = 0.006f;   // edge between painted and photographed skin
constexpr float kLash = 0.0028f;  // a quarter of the lash line's width
constexpr float kLashStrength = 0.75f;
constexpr float kShadow = 0.008f;    // of the moving lid on the eyeball
constexpr float kHeadReach = 0.05f;  // more than the head and brows ever move
constexpr float kMargin = 0.02f;     // of the painted skin round the eye
constexpr float kGrain = 0.010f;     // what is coarser than this is shape, not grain
constexpr float kMostGrain = 18;     // of 255

imaging::Rect BoxOf(const LidShape& shape, const FaceMap& map) {
  const auto& tops = shape.top.values;
  const auto& bottoms = shape.bottom.values;
  const float top = *std::min_element(tops.begin(), tops.end()) - kMargin;
  const float bottom = *std::max_element(bottoms.begin(), bottoms.end()) + kMargin;
  float x0 = 1e9f, y0 = 1e9f, x1 = -1e9f, y1 = -1e9f;
  for (int i = 0; i < 4; ++i) {
    const Point p = map.ToFrame({i % 2 == 0 ? shape.top.from - kMargin : shape.top.to + kMargin,
                                 i / 2 == 0 ? top : bottom});
    x0 = std::min(x0, p.u), x1 = std::max(x1, p.u);
    y0 = std::min(y0, p.v), y1 = std::max(y1, p.v);
  }
  return {static_cast<int>(x0), static_cast<int>(y0), static_cast<int>(x1) + 2,
          static_cast<int>(y1) + 2};
}

// Light on a lid over its eyeball: a fold under the brow, most light in the middle, less towards
// the lashes. `t` is 0 at the lid's top, 1 at its lashes.
float LidShade(float t, float height) {
  const float fold = 0.08f * Gauss((t - 0.10f) / std::max(0.07f, 0.004f / height));
  return 1 + 0.06f * Gauss((t - 0.5f) / 0.22f) - fold - 0.07f * SmoothStep(0.6f, 1.05f, t);
}

}  // namespace

Lids::Lids(const FaceGeometry& face, const FaceMap& map, const Patch& portrait) : map_(map) {
  for (size_t side = 0; side < face.eyes.size(); ++side) {
    const Eye& eye = face.eyes[side];
    if (!eye.can_close) continue;
    Lid lid{MeasureLid(eye, side == 0, map, portrait), 0, 0, {}, Patch()};
    const auto &tops = lid.shape.top.values, &bottoms = lid.shape.bottom.values;
    const float soft = std::max(kSoft, 1.0f / map.PixelsPerUnit());
    lid.from = *std::min_element(tops.begin(), tops.end()) - soft;
    lid.to = *std::max_element(bottoms.begin(), bottoms.end()) + soft;
    const imaging::Rect area = BoxOf(lid.shape, map).Intersect(portrait.area());
    if (area.Empty()) continue;
    const int more = static_cast<int>(kHeadReach * map.PixelsPerUnit()) + 1;
    lid.reach = {area.x0 - more, area.y0 - more, area.x1 + more, area.y1 + more};
    lid.skin.Fill(portrait.At(area.x0, area.y0),
                  4 * static_cast<size_t>(portrait.area().x1 - portrait.area().x0 + 1), area);
    Paint(portrait, &lid);
    lids_.push_back(std::move(lid));
  }
}

// Where on the cheek the lid's grain is taken: as far below as it is calmest, so that neither
// spectacles nor wrinkles are copied.
float Lids::GrainOffset(const Patch& portrait, const LidShape& shape) const {
  float best = 0, least = 1e30f;
  for (const float offset : {0.06f, 0.09f, 0.12f, 0.15f}) {
    float most = 0;
    for (int i = 4; i < LidShape::kColumns - 4; i += 2) {
      const float u =
          shape.top.from + (shape.top.to - shape.top.from) * static_cast<float>(i) / Curve::kSteps;
      for (int k = 0; k <= 4; ++k) {
        const float v = shape.top.At(u) + offset +
                        0.25f * static_cast<float>(k) * (shape.bottom.At(u) - shape.top.At(u));
        const float here = MeanColour(portrait, map_, {u, v}, {0.002f, 0.002f}).Luma();
        const float round = MeanColour(portrait, map_, {u, v}, {kGrain, kGrain}).Luma();
        most = std::max(most, std::abs(here - round));
      }
    }
    if (most < least) least = most, best = offset;
  }
  return best;
}

void Lids::Paint(const Patch& portrait, Lid* lid) const {
  const imaging::Rect area = lid->skin.area();
  const LidShape& shape = lid->shape;
  const float grain_offset = GrainOffset(portrait, shape);
  for (int x = area.x0; x < area.x1; ++x) {
    for (int y = area.y0; y < area.y1; ++y) {
      const Point p = map_.ToFace(static_cast<float>(x), static_cast<float>(y));
      const float top = shape.top.At(p.u), bottom = shape.bottom.At(p.u);
      const float height = std::max(0.004f, shape.line.At(p.u) - top);
      const Colour base = shape.Between(p.u, (p.v - top) / std::max(0.004f, bottom - top));
      const float shade = 1 + shape.arch.At(p.u) * (LidShade((p.v - top) / height, height) - 1);
      const Point cheek{p.u, p.v + grain_offset};
      uint8_t skin[4];
      SampleAt(portrait, map_.ToFrame(cheek), skin);
      const Colour round = MeanColour(portrait, map_, cheek, {kGrain, kGrain});
      // Grain weakens with the light, as it does on the skin itself.
      const float weight = std::clamp(base.Luma() / std::max(8.0f, round.Luma()), 0.2f, 1.2f);
      uint8_t* out = lid->skin.At(x, y);
      const float colour[3] = {base.r, base.g, base.b}, mean[3] = {round.r, round.g, round.b};
      for (int c = 0; c < 3; ++c) {
        const float grain =
            weight * std::clamp(static_cast<float>(skin[c]) - mean[c], -kMostGrain, kMostGrain);
        out[c] =
            static_cast<uint8_t>(std::lrintf(std::clamp(colour[c] * shade + grain, 0.0f, 255.0f)));
      }
    }
  }
  lid->skin.RepeatEdge();
}

// How much of a pixel at `at` is lash when the lid's edge is at `edge`.
float Lids::Lash(const LidShape& shape, Point at, float edge) const {
  const float x = (at.u - shape.top.from) / (shape.top.to - shape.top.from);
  const float outward = shape.left ? 1 - x : x;
  const float taper = SmoothStep(0, 0.24f, std::min(x, 1 - x));
  const float width = std::max(kLash * (0.7f + 0.5f * outward), 0.6f / map_.PixelsPerUnit());
  const float off = (at.v - edge) / width;
  if (off * off >= 4) return 0;
  const float profile = (1 - off * off / 4) * (1 - off * off / 4);
  return kLashStrength * taper * profile;
}

void Lids::DrawLid(const Lid& lid, const Row& row, float shut) const {
  const LidShape& shape = lid.shape;
  const float soft = std::max(kSoft, 1.0f / map_.PixelsPerUnit());
  const float unit = map_.PixelsPerUnit();
  // The last of the way the lower lid comes to meet the upper one and hides its rim.
  const float meets = SmoothStep(0.75f, 1.0f, shut), begins = SmoothStep(0.0f, 0.2f, shut);
  const int from = std::max(lid.reach.x0, row.x0) - row.x0,
            to = std::min(lid.reach.x1, row.x0 + row.count) - row.x0;
  for (int i = from; i < to; ++i) {
    const Point p = map_.ToFace(static_cast<float>(row.from_x[i]) / 256.0f,
                                static_cast<float>(row.from_y[i]) / 256.0f);
    if (p.u <= shape.top.from || p.u >= shape.top.to || p.v < lid.from || p.v > lid.to) continue;
    const float top = shape.top.At(p.u), bottom = shape.bottom.At(p.u);
    if (p.v < top - soft || p.v > bottom + soft) continue;
    const float open = shape.edge.At(p.u), line = shape.line.At(p.u);
    const float edge = open + shut * (line - open);
    const float lid_below = std::clamp((edge - p.v) * unit + 0.5f, 0.0f, 1.0f);
    const float lower = meets * SmoothStep(bottom + soft, bottom - 0.5f * soft, p.v);
    const float over =
        begins * SmoothStep(top - 0.5f * soft, top + soft, p.v) * std::max(lid_below, lower);
    const float below = (p.v - edge) / kShadow;
    const float shadow =
        below > 0 && below < 1 ? 0.18f * (1 - below) * (1 - shut) * shape.arch.At(p.u) : 0.0f;
    const float lash = begins * Lash(shape, p, edge);
    if (over <= 0 && shadow <= 0 && lash <= 0) continue;
    // Painted for the closed lid; half closed, the same skin is folded together.
    const float stretch = (line - top) / std::max(0.001f, edge - top);
    const float v = p.v < edge ? top + (p.v - top) * stretch : line + (p.v - edge);
    uint8_t skin[4];
    SampleAt(lid.skin, map_.ToFrame({p.u, v}), skin);
    uint8_t* out = row.pixels + 4 * i;
    const float lash_colour[3] = {shape.lash.r, shape.lash.g, shape.lash.b};
    for (int c = 0; c < 3; ++c) {
      float value = static_cast<float>(out[c]) * (1 - begins * shadow);
      value += over * (static_cast<float>(skin[c]) - value);
      value += lash * std::min(0.0f, lash_colour[c] - value);
      out[c] = static_cast<uint8_t>(std::lrintf(value));
    }
  }
}

void Lids::Draw(const Row& row, float shut) const {
  for (const Lid& lid : lids_) {
    if (row.y >= lid.reach.y0 && row.y < lid.reach.y1) DrawLid(lid, row, shut);
  }
}

}  // namespace talkface::portrait
