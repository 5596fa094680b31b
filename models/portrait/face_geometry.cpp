// SPDX-License-Identifier: MIT
#include "models/portrait/face_geometry.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "models/core/error.h"

namespace talkface::portrait {
namespace {

// MediaPipe's mesh, from the picture's left to its right.
constexpr std::array<int, 11> kUpperInner = {78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308};
constexpr std::array<int, 11> kLowerInner = {78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308};
constexpr std::array<int, 11> kUpperOuter = {61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291};
constexpr std::array<int, 11> kLowerOuter = {61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291};
constexpr std::array<int, 9> kUpperLid[2] = {{33, 246, 161, 160, 159, 158, 157, 173, 133},
                                             {362, 398, 384, 385, 386, 387, 388, 466, 263}};
constexpr std::array<int, 9> kLowerLid[2] = {{33, 7, 163, 144, 145, 153, 154, 155, 133},
                                             {362, 382, 381, 380, 374, 373, 390, 249, 263}};
constexpr std::array<int, 9> kLipPatch = {17, 84, 314, 0, 37, 267, 15, 16, 11};
constexpr std::array<int, 8> kSkinPatch = {50, 280, 205, 425, 101, 330, 36, 266};

constexpr float kShowsInside = 0.03f;
constexpr float kSmallestEye = 0.018f;  // lids nearer than this are taken as shut
constexpr float kUnlikeSkin = 0.68f;    // difference of hue: what lies under the lid is not skin
constexpr float kNarrowestEye = 0.5f;   // of the other's width

Colour PixelAt(const Pixels& portrait, Point at) {
  const float x = std::clamp(at.u - 0.5f, 0.0f, static_cast<float>(portrait.width) - 1.0f);
  const float y = std::clamp(at.v - 0.5f, 0.0f, static_cast<float>(portrait.height) - 1.0f);
  const uint8_t* p = portrait.data + static_cast<size_t>(std::lround(y)) * portrait.stride +
                     4 * static_cast<size_t>(std::lround(x));
  const float alpha = static_cast<float>(p[3]) / 255.0f;
  return {p[0] * alpha, p[1] * alpha, p[2] * alpha};
}

}  // namespace

Colour MeanAround(const Pixels& portrait, const FaceGeometry& face, Point centre, float r) {
  Colour sum;
  constexpr int kSide = 5;
  for (int i = 0; i < kSide * kSide; ++i) {
    const Point at{centre.u + r * (static_cast<float>(i % kSide) / 2 - 1),
                   centre.v + r * (static_cast<float>(i / kSide) / 2 - 1)};
    const Colour c = PixelAt(portrait, face.ToPortrait(at));
    sum = {sum.r + c.r, sum.g + c.g, sum.b + c.b};
  }
  constexpr float kCount = kSide * kSide;
  return {sum.r / kCount, sum.g / kCount, sum.b / kCount};
}

namespace {

// The median by luma over landmarks: a moustache or a highlight does not count.
template <size_t N>
Colour MedianColour(const Pixels& portrait, const FaceGeometry& face,
                    const std::array<int, N>& landmarks) {
  std::array<Colour, N> colours;
  for (size_t i = 0; i < N; ++i)
    colours[i] = MeanAround(portrait, face, face.points[landmarks[i]], 0.012f);
  std::sort(colours.begin(), colours.end(),
            [](const Colour& a, const Colour& b) { return a.Luma() < b.Luma(); });
  return colours[N / 2];
}

// A curve through landmarks ordered by u. On a turned face some may fold back: those are skipped.
template <size_t N>
Curve Through(const FaceGeometry& face, const std::array<int, N>& landmarks) {
  std::vector<Point> path{face.points[landmarks[0]]};
  const Point last = face.points[landmarks[N - 1]];
  for (size_t i = 1; i + 1 < N; ++i) {
    const Point p = face.points[landmarks[i]];
    if (p.u > path.back().u + 0.002f && p.u < last.u - 0.002f) path.push_back(p);
  }
  path.push_back({std::max(last.u, path.back().u + 0.002f), last.v});
  Curve curve;
  curve.from = path.front().u;
  curve.to = path.back().u;
  size_t piece = 1;
  for (int i = 0; i <= Curve::kSteps; ++i) {
    const float u = curve.from + (curve.to - curve.from) * static_cast<float>(i) / Curve::kSteps;
    while (piece + 1 < path.size() && path[piece].u < u) ++piece;
    const Point &a = path[piece - 1], &b = path[piece];
    curve.values[i] = a.v + (b.v - a.v) * std::clamp((u - a.u) / (b.u - a.u), 0.0f, 1.0f);
  }
  return curve;
}

void Smooth(Curve* curve, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    const auto old = curve->values;
    for (int i = 1; i < Curve::kSteps; ++i)
      curve->values[i] = 0.25f * old[i - 1] + 0.5f * old[i] + 0.25f * old[i + 1];
  }
}

// Landmarks miss the line between closed lips by a pixel or two; the line itself is dark. Moves
// `line` onto the darkest smooth path near it (dynamic programming over columns).
void SnapToDarkLine(const Pixels& portrait, const FaceGeometry& face, Curve* line) {
  constexpr int kReach = 10, kOffsets = 2 * kReach + 1, kColumns = Curve::kSteps + 1;
  constexpr float kStep = 0.0018f;
  std::vector<std::array<float, kOffsets>> cost(kColumns);
  std::vector<std::array<int, kOffsets>> from(kColumns);
  for (int i = 0; i < kColumns; ++i) {
    const float u = line->from + (line->to - line->from) * static_cast<float>(i) / Curve::kSteps;
    // At the corners the lips meet: the line stays.
    const float t = std::abs(2.0f * static_cast<float>(i) / Curve::kSteps - 1.0f);
    for (int o = 0; o < kOffsets; ++o) {
      const float offset = static_cast<float>(o - kReach) * kStep;
      const float luma = PixelAt(portrait, face.ToPortrait({u, line->values[i] + offset})).Luma();
      const float pull = offset / (0.02f * (1.02f - t * t));
      float best = 0;
      if (i > 0) {
        best = 1e30f;
        for (int p = 0; p < kOffsets; ++p) {
          const float step = cost[i - 1][p] + 6.0f * static_cast<float>((p - o) * (p - o));
          if (step < best) best = step, from[i][o] = p;
        }
      }
      cost[i][o] = best + luma + 12.0f * pull * pull;
    }
  }
  int o = static_cast<int>(std::min_element(cost.back().begin(), cost.back().end()) -
                           cost.back().begin());
  for (int i = kColumns - 1; i >= 0; --i) {
    line->values[i] += static_cast<float>(o - kReach) * kStep;
    o = from[i][o];
  }
  Smooth(line, 3);
}

void MeasureMouth(const Pixels& portrait, FaceGeometry* face) {
  face->left = std::max(0.03f, -face->points[61].u);
  face->right = std::max(0.03f, face->points[291].u);
  face->upper_lip = Through(*face, kUpperInner);
  face->lower_lip = Through(*face, kLowerInner);
  face->upper_skin = Through(*face, kUpperOuter);
  face->lower_skin = Through(*face, kLowerOuter);
  Smooth(&face->upper_skin, 6);
  Smooth(&face->lower_skin, 6);
  face->own_gap = 0;
  for (int i = 0; i <= Curve::kSteps; ++i) {
    float& upper = face->upper_lip.values[i];
    float& lower = face->lower_lip.values[i];
    lower = std::max(lower, upper);
    face->own_gap = std::max(face->own_gap, lower - upper);
  }
  face->shows_inside = face->own_gap > kShowsInside;
  Smooth(&face->upper_lip, 4);
  Smooth(&face->lower_lip, 4);
  if (!face->shows_inside) {
    for (int i = 0; i <= Curve::kSteps; ++i)
      face->upper_lip.values[i] = 0.5f * (face->upper_lip.values[i] + face->lower_lip.values[i]);
    SnapToDarkLine(portrait, *face, &face->upper_lip);
    face->lower_lip = face->upper_lip;
    face->own_gap = 0;
  }
}

// On a drawing the mesh's eyes can be smaller than the drawn ones: what lies below them is iris.
bool SkinBelow(const Pixels& portrait, const FaceGeometry& face, const Eye& eye) {
  constexpr int kPlaces = 5;
  std::array<float, kPlaces> distance;
  for (int i = 0; i < kPlaces; ++i) {
    const float u = eye.lower.from + (eye.lower.to - eye.lower.from) * (0.2f + 0.15f * i);
    const Colour c = MeanAround(portrait, face, {u, eye.lower.At(u) + 0.04f}, 0.01f);
    // Shade does not matter, hue does: red's and blue's share.
    const float here = std::max(10.0f, c.Luma()), skin = std::max(10.0f, face.skin.Luma());
    distance[static_cast<size_t>(i)] =
        std::abs(c.r / here - face.skin.r / skin) + std::abs(c.b / here - face.skin.b / skin);
  }
  std::sort(distance.begin(), distance.end());
  return distance[kPlaces / 2] < kUnlikeSkin;
}

void MeasureEyes(const Pixels& portrait, FaceGeometry* face) {
  float width[2];
  for (int side = 0; side < 2; ++side) {
    Eye& eye = face->eyes[side];
    eye.upper = Through(*face, kUpperLid[side]);
    eye.lower = Through(*face, kLowerLid[side]);
    Smooth(&eye.upper, 4);
    Smooth(&eye.lower, 4);
    for (int i = 0; i <= Curve::kSteps; ++i)
      eye.opening = std::max(eye.opening, eye.lower.values[i] - eye.upper.values[i]);
    width[side] = eye.upper.to - eye.upper.from;
  }
  // A drawing's eyes are drawn alike: both blink or neither. Of a turned face the far eye alone is
  // left open, where it is too narrow for its landmarks to be trusted.
  bool skin = true;
  for (const Eye& eye : face->eyes) skin = skin && SkinBelow(portrait, *face, eye);
  const float narrowest = kNarrowestEye * std::max(width[0], width[1]);
  for (int side = 0; side < 2; ++side) {
    Eye& eye = face->eyes[side];
    eye.can_close = skin && eye.opening > kSmallestEye && width[side] > narrowest;
  }
}

}  // namespace

FaceGeometry MeasureFace(const Pixels& portrait, const FaceInfo& info) {
  if (info.landmark_count != vision::kMeshPoints) {
    throw Error(Code::kInvalid, "The face has " + std::to_string(info.landmark_count) +
                                    " landmarks, wanted the " +
                                    std::to_string(vision::kMeshPoints) + " of a face mesh.");
  }
  FaceGeometry face;
  const auto* l = info.landmarks;
  const float ax = l[291][0] - l[61][0] + l[263][0] - l[33][0],
              ay = l[291][1] - l[61][1] + l[263][1] - l[33][1];
  const float along = std::hypot(ax, ay);
  face.height_px = std::hypot(l[152][0] - l[10][0], l[152][1] - l[10][1]);
  if (!(along > 1.0f) || !(face.height_px > 4.0f)) {
    throw Error(Code::kNoFace, "The face found in the picture is too small to be animated.");
  }
  face.cos = ax / along;
  face.sin = ay / along;
  face.x = 0.5f * (l[13][0] + l[14][0]);
  face.y = 0.5f * (l[13][1] + l[14][1]);
  Point low{1e9f, 1e9f}, high{-1e9f, -1e9f};
  for (uint32_t i = 0; i < vision::kMeshPoints; ++i) {
    const float dx = (l[i][0] - face.x) / face.height_px, dy = (l[i][1] - face.y) / face.height_px;
    const Point p{dx * face.cos + dy * face.sin, dy * face.cos - dx * face.sin};
    face.points[i] = p;
    low = {std::min(low.u, p.u), std::min(low.v, p.v)};
    high = {std::max(high.u, p.u), std::max(high.v, p.v)};
  }
  face.box_centre = {0.5f * (low.u + high.u), 0.5f * (low.v + high.v)};
  face.box_half = {0.5f * (high.u - low.u), 0.5f * (high.v - low.v)};
  MeasureMouth(portrait, &face);
  face.lip = MedianColour(portrait, face, kLipPatch);
  face.skin = MedianColour(portrait, face, kSkinPatch);
  MeasureEyes(portrait, &face);
  return face;
}

}  // namespace talkface::portrait
