// SPDX-License-Identifier: MIT
#include "models/portrait/lid_shape.h"

#include <algorithm>
#include <cmath>

#include "models/core/falloff.h"

namespace talkface::portrait {
namespace {

constexpr int kColumns = LidShape::kColumns;
using Column = std::array<float, kColumns>;
using Colours = std::array<Colour, kColumns>;

// In face heights.
constexpr float kBeyondCorner = 0.02f;  // the mesh's corner can lie inside the eye
constexpr float kScanStep = 0.002f;
constexpr int kScanned = 18;        // steps away from a lid's edge
constexpr int kLeastAbove = 4;      // the lid's own edge and lashes
constexpr int kLeastBelow = 2;      // the lower lid's rim
constexpr float kFarthest = 0.42f;  // of the eye's opening: beyond lies the brow

constexpr float kLowerRises = 0.14f;    // the lower lid's share of the way
constexpr float kLeastContrast = 0.5f;  // of lashes to skin
constexpr float kLikeSkin = 0.06f;      // share of the skin's luma

bool Darker(const Colour& a, const Colour& b) { return a.Luma() < b.Luma(); }

// The curve with its ends drawn out in their own direction.
Curve Extended(const Curve& curve, float from, float to) {
  Curve out;
  out.from = from, out.to = to;
  for (int i = 0; i < kColumns; ++i)
    out.values[i] = curve.At(from + (to - from) * static_cast<float>(i) / Curve::kSteps);
  return out;
}

void Blur(Column* column, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    const Column old = *column;
    for (int i = 0; i < kColumns; ++i) {
      (*column)[i] = 0.25f * old[std::max(0, i - 1)] + 0.5f * old[i] +
                     0.25f * old[std::min(kColumns - 1, i + 1)];
    }
  }
}

// The largest within `reach` columns: what one column covers, its neighbours cover as well.
void Widen(Column* column, int reach) {
  const Column old = *column;
  for (int i = 0; i < kColumns; ++i) {
    for (int k = std::max(0, i - reach); k <= std::min(kColumns - 1, i + reach); ++k)
      (*column)[i] = std::max((*column)[i], old[k]);
  }
}

// The median by luma of the colours near each, then blurred: spectacle rims, lashes and highlights
// leave no streaks.
void Calm(Colours* colours) {
  constexpr int kReach = 7;
  const Colours old = *colours;
  for (int i = 0; i < kColumns; ++i) {
    std::array<Colour, 2 * kReach + 1> near;
    for (int k = -kReach; k <= kReach; ++k) near[k + kReach] = old[std::clamp(i + k, 0, 64)];
    std::nth_element(near.begin(), near.begin() + kReach, near.end(), Darker);
    (*colours)[i] = near[kReach];
  }
  for (float Colour::*channel : {&Colour::r, &Colour::g, &Colour::b}) {
    Column column;
    for (int i = 0; i < kColumns; ++i) column[i] = (*colours)[i].*channel;
    Blur(&column, 24);
    for (int i = 0; i < kColumns; ++i) (*colours)[i].*channel = column[i];
  }
}

// Walks away from a lid's edge until the portrait shows skin.
class Scan {
 public:
  Scan(const FaceMap& map, const Patch& portrait, const Curve& edge, float direction)
      : edge_(edge) {
    for (int i = 0; i < kColumns; ++i) {
      u_[i] = edge.from + (edge.to - edge.from) * static_cast<float>(i) / Curve::kSteps;
      for (int k = 0; k < kScanned; ++k) {
        const float off = direction * kScanStep * static_cast<float>(k);
        luma_[i][k] =
            MeanColour(portrait, map, {u_[i], edge.values[i] + off}, {0.004f, 0.001f}).Luma();
      }
    }
  }

  // Distance from the edge to skin, in each column.
  // What is lighter than skin by more than the share `light` is a wet rim.
  Column ToSkin(int least, int most, float light) const {
    Column distance;
    for (int i = 0; i < kColumns; ++i) {
      const float skin = Skin(i, least), tolerance = kLikeSkin * skin + 2;
      int k = least;
      while (k < most && (luma_[i][k] < skin - tolerance || luma_[i][k] > skin + light * skin)) ++k;
      distance[i] = kScanStep * static_cast<float>(k);
    }
    Widen(&distance, 2);
    Blur(&distance, 12);
    return distance;
  }

  // The edge's colour where it is darkest: the median over the eye's middle.
  Colour Darkest(const FaceMap& map, const Patch& portrait, float direction, int least) const {
    std::array<Colour, kColumns / 2> darkest;
    for (int n = 0; n < kColumns / 2; ++n) {
      const int i = n + kColumns / 4;
      const auto& luma = luma_[i];
      const auto k = std::min_element(luma.begin(), luma.begin() + least + 1) - luma.begin();
      const float off = direction * kScanStep * static_cast<float>(k);
      darkest[n] = MeanColour(portrait, map, {u_[i], edge_.values[i] + off}, {0.004f, 0.001f});
    }
    std::nth_element(darkest.begin(), darkest.begin() + kColumns / 4, darkest.end(), Darker);
    return darkest[kColumns / 4];
  }

 private:
  // What is seen most of the way is skin; lashes are darker, a lid's rim lighter.
  float Skin(int i, int least) const {
    std::array<float, kScanned> sorted = luma_[i];
    const auto first = sorted.begin() + least;
    const auto place = first + (sorted.end() - first) * 2 / 3;
    std::nth_element(first, place, sorted.end());
    return *place;
  }

  const Curve& edge_;
  Column u_;
  std::array<std::array<float, kScanned>, kColumns> luma_;
};

// Skin along a curve, away from it by `direction`: a little lighter than the median of what lies
// there, for folds and spectacles are darker than skin.
Colours Along(const FaceMap& map, const Patch& portrait, const Curve& curve, float direction) {
  constexpr int kDepth = 7, kTaken = 4;
  constexpr float kDepthStep = 0.002f;
  Colours colours;
  for (int i = 0; i < kColumns; ++i) {
    const float u = curve.from + (curve.to - curve.from) * static_cast<float>(i) / Curve::kSteps;
    std::array<Colour, kDepth> deep;
    for (int k = 0; k < kDepth; ++k) {
      const float off = direction * kDepthStep * static_cast<float>(k + 1);
      deep[k] = MeanColour(portrait, map, {u, curve.values[i] + off}, {0.008f, 0.002f});
    }
    std::nth_element(deep.begin(), deep.begin() + kTaken, deep.end(), Darker);
    colours[i] = deep[kTaken];
  }
  Calm(&colours);
  return colours;
}

}  // namespace

void SampleAt(const Patch& patch, Point at, uint8_t* out) {
  patch.SampleOne(static_cast<int32_t>(std::lrintf(256 * at.u)),
                  static_cast<int32_t>(std::lrintf(256 * at.v)), out);
}

Colour MeanColour(const Patch& portrait, const FaceMap& map, Point centre, Point radius) {
  constexpr float kPlaces[9][2] = {{0, 0},       {-1, 0},     {1, 0},      {0, -1},   {0, 1},
                                   {-.6f, -.6f}, {.6f, -.6f}, {-.6f, .6f}, {.6f, .6f}};
  Colour sum;
  for (const auto& place : kPlaces) {
    const Point at = map.ToFrame({centre.u + place[0] * radius.u, centre.v + place[1] * radius.v});
    uint8_t p[4];
    SampleAt(portrait, at, p);
    sum = {sum.r + p[0], sum.g + p[1], sum.b + p[2]};
  }
  return {sum.r / 9, sum.g / 9, sum.b / 9};
}

Colour LidShape::Between(float u, float t) const {
  const float x = std::clamp((u - top.from) * (Curve::kSteps / (top.to - top.from)), 0.0f,
                             Curve::kSteps - 0.001f);
  const int i = static_cast<int>(x);
  const float a = x - static_cast<float>(i), down = SmoothStep(t);
  const auto mix = [&](float Colour::*c) {
    const float high = above[i].*c + a * (above[i + 1].*c - above[i].*c);
    const float low = below[i].*c + a * (below[i + 1].*c - below[i].*c);
    return high + down * (low - high);
  };
  return {mix(&Colour::r), mix(&Colour::g), mix(&Colour::b)};
}

LidShape MeasureLid(const Eye& eye, bool left, const FaceMap& map, const Patch& portrait) {
  LidShape lid;
  lid.left = left;
  const float from = eye.upper.from - kBeyondCorner, to = eye.upper.to + kBeyondCorner;
  lid.edge = Extended(eye.upper, from, to);
  lid.line = Extended(eye.lower, from, to);
  // In a small picture lashes are smeared over a pixel and a half more.
  const float farthest = kFarthest * eye.opening + 1.5f / map.PixelsPerUnit();
  const int most = std::clamp(static_cast<int>(farthest / kScanStep), kLeastAbove, kScanned - 2);
  const Scan up(map, portrait, lid.edge, -1), down(map, portrait, lid.line, 1);
  const Column above = up.ToSkin(kLeastAbove, most, /*light=*/0.15f),
               below = down.ToSkin(kLeastBelow, most, /*light=*/0.08f);
  lid.lash = up.Darkest(map, portrait, -1, kLeastAbove);
  Column sorted = below;
  std::nth_element(sorted.begin(), sorted.begin() + kColumns / 2, sorted.end());
  const float rim = sorted[kColumns / 2];
  lid.top = lid.bottom = lid.arch = lid.edge;
  for (int i = 0; i < kColumns; ++i) {
    const float x = static_cast<float>(i) / Curve::kSteps;
    lid.arch.values[i] = SmoothStep(7 * std::min(x, 1 - x));
    const float covered = SmoothStep(10 * std::min(x, 1 - x));
    lid.top.values[i] = lid.edge.values[i] - covered * above[i];
    lid.bottom.values[i] = lid.line.values[i] + covered * below[i];
    const float opening = std::max(0.0f, lid.line.values[i] - lid.edge.values[i]);
    lid.line.values[i] += covered * (0.3f * rim - kLowerRises * opening);
  }
  lid.above = Along(map, portrait, lid.top, -1);
  lid.below = Along(map, portrait, lid.bottom, 1);
  // A line that can be seen, where the portrait's lid has none.
  const Colour skin = lid.Between(0.5f * (from + to), 0.5f);
  const float fade = std::min(1.0f, kLeastContrast * skin.Luma() / std::max(1.0f, lid.lash.Luma()));
  lid.lash = {fade * lid.lash.r, fade * lid.lash.g, fade * lid.lash.b};
  return lid;
}

}  // namespace talkface::portrait
