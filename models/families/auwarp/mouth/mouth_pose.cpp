// SPDX-License-Identifier: MIT
#include "models/families/auwarp/mouth/mouth_pose.h"

#include <algorithm>
#include <cmath>

namespace talkface::auwarp {
namespace {

constexpr float kWidestGap = 0.12f;      // beyond it the lower lip looks like a puppet's
constexpr float kJawBehindLips = 0.01f;  // travel of a jaw behind shut lips
constexpr float kChinPerLip = 0.94f;     // the chin's travel per travel of the lower lip

// Bends `x` so that it never passes `limit`; the first half is left as it is.
float SoftLimit(float x, float limit) {
  const float knee = 0.6f * limit;
  if (x <= knee) return x;
  const float rest = limit - knee;
  return knee + rest * (1.0f - static_cast<float>(std::exp(-(x - knee) / rest)));
}

// 0 for a mouth as wide as most, 1 for a broad smile.
float Smile(const portrait::FaceGeometry& face) {
  return std::clamp((face.left + face.right - 0.27f) / 0.15f, 0.0f, 1.0f);
}

// What lips that part from a closed line must do to be seen as parted: the first hundredth of a
// face height counts most. A smile's teeth are seen anyway.
float Response(float opening, const portrait::FaceGeometry& face) {
  if (face.shows_inside) return 0.72f * opening;
  const double beyond = std::max(0.0, static_cast<double>(opening) - 0.003);
  return 1.3f * opening + 0.016f * static_cast<float>(1.0 - std::exp(-beyond / 0.008));
}

float Finite(float x) { return std::isfinite(x) ? x : 0.0f; }

// Parts lips, shut as far as `pose->close` says, by `gap`.
void Part(float gap, float jaw, float upper, const portrait::FaceGeometry& face, MouthPose* pose) {
  // The jaw goes with the gap at least in part, and never far beyond it.
  pose->jaw = std::clamp(jaw / kChinPerLip, 0.35f * gap, 1.05f * gap + kJawBehindLips);
  const float lips = gap - pose->jaw;
  pose->part_up = 0.25f * lips + upper;
  // A lip that comes down must not pass the other.
  pose->part_up = std::max(pose->part_up, -0.3f * gap);
  // Above teeth that the portrait shows there is nothing to uncover.
  if (face.shows_inside)
    pose->part_up =
        std::min(pose->part_up, portrait::kUpperShare * face.own_gap * pose->close + 0.002f);
  pose->part_down = lips - pose->part_up;
  pose->relax = std::min(1.0f, gap / 0.045f);
}

// Who speaks does not go on smiling broadly. An opening mouth whose corners stay is seen to widen,
// most where the portrait shows its inside; there the corners' own travel is seen less.
float Width(float wanted, float gap, float close, const portrait::FaceGeometry& face) {
  if (!face.shows_inside)
    return std::clamp(wanted - 0.3f * gap, gap >= 0.06f ? -0.09f : -0.065f, 0.05f);
  return std::clamp(1.2f * wanted - close * (0.03f * Smile(face) + 0.8f * gap), -0.09f, 0.035f);
}

}  // namespace

MouthPose PoseOf(const Expression& expression, float gain, const portrait::FaceGeometry& face) {
  const auto unit = [&](Unit u) {
    return std::clamp(Finite(expression.units[u]) * gain / 5.0f, 0.0f, 1.0f);
  };
  const float opening = Finite(expression.opening) * gain, jaw = Finite(expression.jaw) * gain;
  const float upper = std::clamp(Finite(expression.upper) * gain, -0.006f, 0.02f);
  const float speech = std::clamp(Finite(expression.speech) * std::min(gain, 1.0f), 0.0f, 1.0f);
  MouthPose pose;
  const float shut = std::max(0.0f, -opening);
  if (face.own_gap > 0) pose.close = std::min(1.0f, speech + shut / face.own_gap);
  const float limit = std::max(kWidestGap - (1 - pose.close) * face.own_gap, 0.06f);
  const float gap = SoftLimit(Response(std::max(0.0f, opening), face), limit);
  Part(gap, jaw, upper, face, &pose);
  const float width = 1.8f * Finite(expression.width) * gain;
  pose.width = Width(width, gap, pose.close, face);
  pose.pucker = std::clamp(std::max(-width / 0.08f, unit(kAu18)), 0.0f, 1.0f);
  // Lips that are shut already are pressed.
  const float pressed = std::max(0.0f, shut - (1 - speech) * face.own_gap);
  pose.thick = 0.014f * unit(kAu18) - 0.4f * std::min(0.01f, pressed);
  pose.corner = 0.02f * unit(kAu14);
  return pose;
}

}  // namespace talkface::auwarp
