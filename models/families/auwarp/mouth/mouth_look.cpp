// SPDX-License-Identifier: MIT
#include "models/families/auwarp/mouth/mouth_look.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace talkface::auwarp {
namespace {

// `c` with a luma of 1.
portrait::Colour Hue(const portrait::Colour& c) {
  return portrait::Scaled(c, 1 / std::max(8.0f, c.Luma()));
}

// 0 for grey, 1 for the red of lips in a photograph.
float Redness(const portrait::Colour& c) {
  return std::clamp((c.r - c.b) / std::max(8.0f, c.r) / 0.4f, 0.0f, 1.0f);
}

// The hue of the white of the eyes, which teeth share: old varnish and coloured light tint both.
portrait::Colour WhiteHue(const Pixels& portrait, const portrait::FaceGeometry& face) {
  std::vector<portrait::Colour> seen;
  for (const portrait::Eye& eye : face.eyes) {
    for (int i = 2; i <= 22; ++i) {
      const float u = eye.upper.from + (eye.upper.to - eye.upper.from) * static_cast<float>(i) / 24;
      const float top = eye.upper.At(u), bottom = eye.lower.At(u);
      for (int k = 2; k <= 4; ++k) {
        const portrait::Point at{u, top + (bottom - top) * static_cast<float>(k) / 6};
        seen.push_back(portrait::MeanAround(portrait, face, at, 0.004f));
      }
    }
  }
  const auto whiteness = [](const portrait::Colour& c) { return c.b + 0.3f * c.Luma(); };
  std::sort(seen.begin(), seen.end(), [&](const portrait::Colour& a, const portrait::Colour& b) {
    return whiteness(a) > whiteness(b);
  });
  portrait::Colour sum;
  const size_t count = seen.size() / 5;
  for (size_t i = 0; i < count; ++i)
    sum = {sum.r + seen[i].r, sum.g + seen[i].g, sum.b + seen[i].b};
  return Hue(sum);
}

// The skin's light left and right of the mouth, as a slope; hair and beards make it doubtful, so
// only the evener half of it counts.
float LightPerU(const Pixels& portrait, const portrait::FaceGeometry& face) {
  constexpr std::array<int, 3> kLeft = {205, 50, 207}, kRight = {425, 280, 427};
  std::array<float, 3> slopes;
  for (size_t i = 0; i < slopes.size(); ++i) {
    const portrait::Point a = face.points[kLeft[i]], b = face.points[kRight[i]];
    const float left = portrait::MeanAround(portrait, face, a, 0.02f).Luma(),
                right = portrait::MeanAround(portrait, face, b, 0.02f).Luma();
    slopes[i] = 2 * (right - left) / (std::max(20.0f, left + right) * std::max(0.1f, b.u - a.u));
  }
  std::sort(slopes.begin(), slopes.end());
  return std::clamp(0.7f * slopes[1], -2.0f, 2.0f);
}

// How soft the picture's edges are: what a pixel's step changes against what four steps change,
// over eyes, nose and mouth. Sharp pictures change by half as much, blurred ones by a quarter.
float Blur(const Pixels& portrait, const portrait::FaceGeometry& face) {
  const float pixel = 1 / face.height_px;
  double near = 0, far = 0;
  for (int row = 0; row < 40; ++row) {
    for (int column = 0; column < 60; ++column) {
      const portrait::Point p{0.5f * static_cast<float>(column - 30) / 30,
                              -0.5f + 0.65f * static_cast<float>(row) / 40};
      const auto luma = [&](float steps) {
        return portrait::MeanAround(portrait, face, {p.u, p.v + steps * pixel}, 0).Luma();
      };
      const float here = luma(0);
      near += std::pow(luma(1) - here, 2.0);
      far += std::pow(luma(4) - here, 2.0);
    }
  }
  const double share = std::sqrt(near / std::max(far, 1e-6));
  const float pixels = std::clamp(static_cast<float>(0.42 / std::max(share, 0.05)), 0.8f, 2.0f);
  return pixels * pixel;
}

}  // namespace

MouthLook MeasureLook(const Pixels& portrait, const portrait::FaceGeometry& face) {
  MouthLook look;
  const portrait::Colour skin = Hue(face.skin), white = WhiteHue(portrait, face);
  const portrait::Colour hue = portrait::Mix(portrait::Mix({1, 1, 1}, skin, 0.6f), white, 0.4f);
  // Lips far darker than the cheeks lie in shade, and so do the teeth.
  const float lit = face.lip.Luma() / std::max(8.0f, face.skin.Luma());
  look.tooth =
      portrait::Scaled(hue, face.skin.Luma() * (0.50f + 0.56f * std::clamp(lit, 0.35f, 0.85f)));
  const float red = Redness(face.lip), luma = face.lip.Luma();
  const portrait::Colour lip = Hue(face.lip), grey{1, 1, 1};
  look.dark = portrait::Scaled(
      portrait::Mix(grey, {lip.r * 1.25f, lip.g * 0.8f, lip.b * 0.8f}, red), 0.20f * luma);
  look.tongue = portrait::Scaled(
      portrait::Mix(grey, {lip.r * 1.05f, lip.g * 0.9f, lip.b * 0.95f}, red), 0.66f * luma);
  look.shadow = portrait::Mix(look.dark, look.tongue, 0.4f);
  look.light_per_u = LightPerU(portrait, face);
  look.blur = Blur(portrait, face);
  return look;
}

}  // namespace talkface::auwarp
