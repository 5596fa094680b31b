// SPDX-License-Identifier: MIT
#include "models/families/auwarp/mouth/mouth_interior.h"

#include <algorithm>
#include <cmath>

#include "models/core/falloff.h"

namespace talkface::auwarp {
namespace {

// Where upper teeth meet, as shares of the half mouth from its middle.
constexpr std::array<float, 7> kToothEdges = {0.0f, .24f, .43f, .60f, .74f, .86f, 1.0f};
constexpr float kToothShow = 0.021f;  // upper teeth reach this far below the line of shut lips
constexpr float kOverbite = 0.007f;   // and hide this much of the lower ones
constexpr float kLipShadow = 0.016f;  // the upper lip shades this much
constexpr float kLowerSize = 0.8f;    // of lower teeth against upper ones
constexpr float kTongueFrom = 0.03f;  // gap from which the tongue is seen
constexpr float kOwnInset = 0.013f;   // own pixels nearer to a lip's edge than this are lip
constexpr float kOwnCut = 0.022f;     // of own pixels at the lower lip, once it has moved
constexpr float kOwnFade = 0.012f;    // from own pixels to the cavity below them

}  // namespace

MouthInterior::MouthInterior(const portrait::FaceGeometry& face, const MouthLook& look,
                             const portrait::FaceMap& map, const portrait::Patch& portrait)
    : face_(face), look_(look), map_(map), portrait_(portrait) {
  soft_ = std::max({0.003f, look.blur, 0.7f / map.PixelsPerUnit()});
  // Teeth stand level however the lips are curved.
  float level = 0;
  constexpr int kPlaces = 17;
  for (int i = 0; i < kPlaces; ++i) {
    const float t = 0.6f * (2.0f * static_cast<float>(i) / (kPlaces - 1) - 1);
    level += face.upper_lip.At(t < 0 ? -t * -face.left : t * face.right) / kPlaces;
  }
  bite_ = level + kToothShow;
  // Fine lines would flicker where they are narrower than a pixel.
  const float line_px = 0.012f * map.PixelsPerUnit();
  const float contrast = 0.22f * std::clamp(line_px - 0.3f, 0.25f, 1.0f);
  for (int i = 0; i <= kTeethSteps; ++i) {
    const float t = static_cast<float>(i) / kTeethSteps;
    size_t k = 0;
    while (k + 2 < kToothEdges.size() && t >= kToothEdges[k + 1]) ++k;
    const float x = 2 * (t - kToothEdges[k]) / (kToothEdges[k + 1] - kToothEdges[k]) - 1;
    const float side = std::pow(x, 6.0f);  // flat in the tooth's middle, falling to its sides
    const float second = k == 1 ? 0.002f : 0.0f;  // the second tooth is shorter
    teeth_[static_cast<size_t>(i)] = {
        (1 - 0.5f * t * t) * (1 - contrast * side) * (1 - SmoothStep(0.62f, 0.92f, t)),
        -second - 0.0022f * side - 0.008f * t * t};
  }
}

MouthInterior::Tooth MouthInterior::ToothAt(float across) const {
  const float t = std::min(1.0f, across) * kTeethSteps;
  const size_t i = std::min(static_cast<size_t>(t), static_cast<size_t>(kTeethSteps - 1));
  const float part = t - static_cast<float>(i);
  const Tooth &a = teeth_[i], &b = teeth_[i + 1];
  return {a.light + (b.light - a.light) * part, a.edge + (b.edge - a.edge) * part};
}

// Dark, with the lips' hue; lighter just above the lower lip where the tongue lies.
portrait::Colour MouthInterior::Cavity(const MouthPlace& place, float across) const {
  const float below_upper = place.below_upper, above_lower = place.above_lower;
  const float gap = below_upper + above_lower;
  // Cheeks close the mouth's corners: red shade, not a black hole.
  portrait::Colour colour =
      portrait::Mix(look_.dark, look_.tongue, 0.45f * SmoothStep(0.55f, 1.0f, across));
  const float tongue = SmoothStep(kTongueFrom, 0.08f, gap) *
                       (1 - SmoothStep(0.10f * gap, 0.55f * gap, above_lower)) *
                       (1 - SmoothStep(0.25f, 0.8f, across));
  colour = portrait::Mix(colour, look_.tongue, 0.75f * tongue);
  // A slit is not black: light falls in from both lips.
  const float slit = 1 - SmoothStep(0.004f, 0.022f, gap);
  colour = portrait::Mix(colour, portrait::Scaled(look_.tongue, 0.75f), slit);
  // The lips' inner, wet edge goes over into the dark.
  const float rim = 1 - SmoothStep(0.0f, 0.010f, above_lower);
  return portrait::Mix(colour, look_.tongue, 0.7f * rim);
}

portrait::Colour MouthInterior::OwnPixel(portrait::Point skull) const {
  const portrait::Point at = map_.ToFrame(skull);
  uint8_t p[4];
  portrait_.SampleOne(static_cast<int32_t>(std::lrintf(256 * at.u)),
                      static_cast<int32_t>(std::lrintf(256 * at.v)), p);
  return {static_cast<float>(p[0]), static_cast<float>(p[1]), static_cast<float>(p[2])};
}

void MouthInterior::AddLowerTeeth(const MouthPlace& place, float across, const MouthState& state,
                                  portrait::Colour* colour) const {
  const Tooth tooth = ToothAt(across / kLowerSize);
  const float top = bite_ - kOverbite + state.jaw - 0.5f * tooth.edge;
  const float seen = SmoothStep(top - soft_, top + soft_, place.skull.v);
  if (seen == 0) return;
  const float gap = place.below_upper + place.above_lower;
  const float shade = 0.55f + 0.25f * SmoothStep(0.0f, 0.012f, place.above_lower);
  const float light = tooth.light * look_.Light(place.skull.u);
  const float share =
      state.teeth * seen * SmoothStep(0.02f, 0.05f, gap) * std::min(1.0f, 2 * tooth.light);
  *colour = portrait::Mix(*colour,
                          portrait::Mix(look_.shadow, portrait::Scaled(look_.tooth, light), shade),
                          0.85f * share);
}

void MouthInterior::AddUpperTeeth(const MouthPlace& place, float across, const MouthState& state,
                                  portrait::Colour* colour) const {
  const Tooth tooth = ToothAt(across);
  const float bottom = bite_ + tooth.edge;
  const float seen = 1 - SmoothStep(bottom - soft_, bottom + soft_, place.skull.v);
  if (seen == 0) return;
  const float gap = place.below_upper + place.above_lower;
  // Little light comes through a slit, and none under the lip.
  const float shade = (0.62f + 0.38f * SmoothStep(0.0f, kLipShadow, place.below_upper)) *
                      (0.55f + 0.45f * SmoothStep(0.008f, 0.045f, gap));
  const float light = tooth.light * look_.Light(place.skull.u);
  const float share =
      state.teeth * seen * SmoothStep(0.006f, 0.026f, gap) * std::min(1.0f, 2 * tooth.light);
  *colour = portrait::Mix(
      *colour, portrait::Mix(look_.shadow, portrait::Scaled(look_.tooth, light), shade), share);
}

// At rest all of it is the portrait's own. The upper part stays with the skull; where the jaw has
// gone lower the cavity follows; between lips that close it gets dark.
portrait::Colour MouthInterior::WithOwnPixels(const MouthPlace& place, const MouthState& state,
                                              portrait::Colour behind) const {
  const float top = face_.upper_lip.At(place.skull.u), bottom = face_.lower_lip.At(place.skull.u);
  const float own_gap = bottom - top, gap = place.below_upper + place.above_lower;
  const float inset = std::min(kOwnInset, 0.35f * own_gap);
  const portrait::Point inside{
      place.skull.u, std::clamp(place.skull.v, top + inset, std::max(top + inset, bottom - inset))};
  // The lowest of it is the lip's edge, which has gone with the lip.
  const float dropped = place.skull.v + place.above_lower - bottom;
  const float cut = std::min(kOwnCut, 0.35f * own_gap) * SmoothStep(0.0f, kOwnFade, dropped);
  const float own = 1 - SmoothStep(0.0f, kOwnFade, place.skull.v - bottom + cut);
  portrait::Colour pixel =
      OwnPixel(place.skull.v > top && place.skull.v < bottom ? place.skull : inside);
  const float shade = 0.35f * (1 - SmoothStep(0.0f, kLipShadow, place.below_upper));
  const float dark = 0.6f * (1 - SmoothStep(0.008f, 0.034f, gap));
  pixel = portrait::Mix(pixel, look_.shadow, state.moved * std::max(shade, dark));
  const float shut = state.moved * (1 - SmoothStep(0.004f, 0.016f, gap));
  return portrait::Mix(behind, pixel, own * (1 - shut));
}

portrait::Colour MouthInterior::At(const MouthPlace& place, const MouthState& state) const {
  const float across = face_.Across(place.skull.u);
  portrait::Colour colour = Cavity(place, across);
  AddLowerTeeth(place, across, state, &colour);
  if (face_.shows_inside) return WithOwnPixels(place, state, colour);
  AddUpperTeeth(place, across, state, &colour);
  return colour;
}

}  // namespace talkface::auwarp
