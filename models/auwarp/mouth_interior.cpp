// SPDX-License-Identifier: MIT
#include "models/auwarp/mouth_interior.h"

#include <algorithm>
#include <cmath>

namespace talkface::auwarp {
namespace {

// Where upper teeth meet, as shares of the half mouth from its middle.
constexpr std::array<float, 7> kToothEdges = {0.0f, .22f, .40f, .57f, .71f, .83f, 1.0f};
constexpr float kToothHeight = 0.030f;  // visible at most, below the resting upper lip
constexpr float kLipShadow = 0.014f;    // the upper lip shades this much
constexpr float kTongueFrom = 0.05f;    // gap from which the tongue is seen
constexpr float kOwnInset = 0.013f;     // own pixels nearer to a lip's edge than this are lip
constexpr float kOwnCut = 0.017f;       // of own pixels at the lower lip, once it has moved
constexpr float kOwnFade = 0.012f;      // from own pixels to the cavity below them

float SmoothStep(float from, float to, float x) {
  const float t = std::clamp((x - from) / (to - from), 0.0f, 1.0f);
  return t * t * (3 - 2 * t);
}

Colour Mix(const Colour& a, const Colour& b, float t) {
  return {a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

Colour Scaled(const Colour& c, float r, float g, float b) { return {c.r * r, c.g * g, c.b * b}; }

}  // namespace

MouthInterior::MouthInterior(const FaceGeometry& face, const FaceMap& map, const Patch& portrait)
    : face_(face), map_(map), portrait_(portrait) {
  // Teeth are as light as the skin round them and nearly neutral, with a little of its hue.
  const float luma = 0.88f * face.skin.Luma();
  const float tint = luma / std::max(1.0f, face.skin.Luma());
  tooth_ = Mix({luma, luma, luma}, Scaled(face.skin, tint, tint, tint), 0.5f);
  for (int i = 0; i <= kTeethSteps; ++i) {
    const float t = static_cast<float>(i) / kTeethSteps;
    size_t k = 0;
    while (k + 2 < kToothEdges.size() && t >= kToothEdges[k + 1]) ++k;
    const float x = 2 * (t - kToothEdges[k]) / (kToothEdges[k + 1] - kToothEdges[k]) - 1;
    const float side = x * x * x * x;  // flat in the tooth's middle, falling to its sides
    tooth_light_[i] = (1 - 0.55f * t * t) * (1 - 0.16f * side) * (1 - SmoothStep(0.55f, 0.85f, t));
    const float canine = k == 1 ? 0.07f : 0.0f;  // the second tooth is shorter
    tooth_edge_[i] = (1 - canine) * (1 - 0.09f * side) - 0.22f * t * t;
  }
}

// Dark, with the lips' hue; lighter just above the lower lip where the tongue lies.
Colour MouthInterior::Cavity(float across, float below_upper, float above_lower) const {
  const float gap = below_upper + above_lower;
  const Colour dark = Scaled(face_.lip, 0.20f, 0.13f, 0.13f);
  const float corner = 1 - 0.6f * SmoothStep(0.45f, 1.0f, across);
  Colour colour = Scaled(dark, corner, corner, corner);
  const float tongue = SmoothStep(kTongueFrom, 0.09f, gap) *
                       (1 - SmoothStep(0.12f * gap, 0.5f * gap, above_lower)) *
                       (1 - SmoothStep(0.3f, 0.75f, across));
  colour = Mix(colour, Scaled(face_.lip, 0.5f, 0.42f, 0.42f), 0.8f * tongue);
  // A slit is not black: light falls in from both lips.
  const float slit = 1 - SmoothStep(0.004f, 0.022f, gap);
  colour = Mix(colour, Scaled(face_.lip, 0.42f, 0.34f, 0.34f), slit);
  // The lips' inner, wet edge goes over into the dark.
  const float rim = 1 - SmoothStep(0.0f, 0.010f, above_lower);
  return Mix(colour, Scaled(face_.lip, 0.5f, 0.42f, 0.42f), 0.7f * rim);
}

Colour MouthInterior::OwnPixel(Point skull) const {
  const Point at = map_.ToFrame(skull);
  uint8_t p[4];
  portrait_.SampleOne(static_cast<int32_t>(std::lrintf(256 * at.u)),
                      static_cast<int32_t>(std::lrintf(256 * at.v)), p);
  return {static_cast<float>(p[0]), static_cast<float>(p[1]), static_cast<float>(p[2])};
}

void MouthInterior::AddTeeth(const MouthPlace& place, float across, float teeth,
                             Colour* colour) const {
  const float t = std::min(1.0f, across) * kTeethSteps;
  const int i = std::min(static_cast<int>(t), kTeethSteps - 1);
  const float part = t - static_cast<float>(i);
  const float light = tooth_light_[i] + (tooth_light_[i + 1] - tooth_light_[i]) * part;
  const float edge = tooth_edge_[i] + (tooth_edge_[i + 1] - tooth_edge_[i]) * part;
  const float gap = place.below_upper + place.above_lower;
  const float height = std::min(kToothHeight, 0.5f * gap) * edge;
  const float soft = std::max(0.005f, 1.0f / map_.PixelsPerUnit());
  const float seen = 1 - SmoothStep(height - soft, height + soft, place.below_upper);
  const float shade = 0.60f + 0.40f * SmoothStep(0.0f, kLipShadow, place.below_upper);
  // A narrow slit shows no teeth; they come with the opening.
  const float share = teeth * seen * SmoothStep(0.010f, 0.038f, gap) * std::min(1.0f, 2 * light);
  const float strength = light * shade;
  *colour = Mix(*colour, Scaled(tooth_, strength, strength, strength), share);
}

Colour MouthInterior::At(const MouthPlace& place, float teeth) const {
  const float across = face_.Across(place.skull.u);
  Colour colour = Cavity(across, place.below_upper, place.above_lower);
  if (!face_.shows_inside) {
    AddTeeth(place, across, teeth, &colour);
    return colour;
  }
  const float top = face_.upper_lip.At(place.skull.u), bottom = face_.lower_lip.At(place.skull.u);
  const float inset = std::min(kOwnInset, 0.35f * (bottom - top));
  const Point inside{place.skull.u,
                     std::clamp(place.skull.v, top + inset, std::max(top, bottom - inset))};
  // At rest all of it is the portrait's own; where the jaw has gone lower, the cavity follows.
  // The lowest of it is the lip's edge, which has gone with the lip.
  const float wider = place.below_upper + place.above_lower - (bottom - top);
  const float cut = std::min(kOwnCut, 0.3f * (bottom - top)) * SmoothStep(0.0f, kOwnFade, wider);
  const float own = 1 - SmoothStep(0.0f, kOwnFade, place.skull.v - bottom + cut);
  const Colour pixel =
      OwnPixel(place.skull.v > top && place.skull.v < bottom ? place.skull : inside);
  return Mix(colour, pixel, own);
}

}  // namespace talkface::auwarp
