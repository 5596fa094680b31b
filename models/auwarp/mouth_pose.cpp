// SPDX-License-Identifier: MIT
#include "models/auwarp/mouth_pose.h"

#include <algorithm>
#include <cmath>

namespace talkface::auwarp {
namespace {

constexpr float kWidestGap = 0.12f;   // beyond it the lower lip looks like a puppet's
constexpr float kChinPerLip = 0.94f;  // the chin's travel per travel of the lower lip

// Bends `x` so that it never passes `limit`; the first half is left as it is.
float SoftLimit(float x, float limit) {
  const float knee = 0.6f * limit;
  if (x <= knee) return x;
  const float rest = limit - knee;
  return knee + rest * (1.0f - static_cast<float>(std::exp(-(x - knee) / rest)));
}

// What lips that part from a closed line must do to be seen as parted: the first hundredth of a
// face height counts most.
float Response(float opening, const FaceGeometry& face) {
  if (face.shows_inside) return 1.15f * opening;
  const double beyond = std::max(0.0, static_cast<double>(opening) - 0.003);
  return 1.15f * opening + 0.016f * static_cast<float>(1.0 - std::exp(-beyond / 0.008));
}

float Finite(float x) { return std::isfinite(x) ? x : 0.0f; }

}  // namespace

MouthPose PoseOf(const Expression& expression, float gain, const FaceGeometry& face) {
  const auto unit = [&](Unit u) {
    return std::clamp(Finite(expression.units[u]) * gain / 5.0f, 0.0f, 1.0f);
  };
  const float opening = Finite(expression.opening) * gain, jaw = Finite(expression.jaw) * gain;
  const float upper = std::clamp(Finite(expression.upper) * gain, -0.01f, 0.02f);
  MouthPose pose;
  const float limit = std::max(kWidestGap - face.own_gap, 0.06f);
  const float gap =
      std::max(opening > 0 ? SoftLimit(Response(opening, face), limit) : opening, -face.own_gap);
  if (gap > 0) {
    // The jaw goes with the gap at least in part, and never far beyond it.
    const float driven = jaw / kChinPerLip * gap / std::max(opening, 0.004f);
    pose.jaw = std::clamp(driven, 0.35f * gap, 1.1f * gap);
  } else {
    pose.jaw = std::clamp(jaw / kChinPerLip, 0.0f, 0.02f);
  }
  const float lips = gap - pose.jaw;
  // Above teeth that the portrait shows there is nothing to uncover: that upper lip does not rise.
  const float up_share = face.shows_inside && lips > 0 ? 0.0f : 0.25f;
  pose.part_up = up_share * lips;
  pose.part_down = lips - pose.part_up;
  if (gap > 0) {
    pose.part_up += face.shows_inside ? std::min(upper, 0.002f) : upper;
    // A lip that comes down must not pass the other.
    pose.part_up = std::max(pose.part_up, -0.3f * gap);
  }
  const float narrowest = gap >= 0.05f && !face.shows_inside ? -0.09f : -0.06f;
  pose.width = std::clamp(1.5f * Finite(expression.width) * gain, narrowest,
                          face.shows_inside ? 0.035f : 0.05f);
  pose.thick = 0.014f * unit(kAu18);
  pose.corner = 0.02f * unit(kAu14);
  return pose;
}

}  // namespace talkface::auwarp
