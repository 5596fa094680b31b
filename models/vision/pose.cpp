// SPDX-License-Identifier: MIT
#include "models/vision/pose.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace talkface::vision {
namespace {

using Vector = std::array<float, 3>;
constexpr float kDegrees = 57.29578f;
constexpr float kFaithfulYaw = 25.0f, kYawStretch = 2.5f, kProfileYaw = 90.0f;  // see Pose::yaw

// Pairs of landmarks that lie across and along a face that looks straight ahead: outer and inner
// eye corners, cheeks; forehead to chin. Mouth corners are left out: they move.
constexpr int kAcross[][2] = {{33, 263}, {133, 362}, {234, 454}, {127, 356}};
constexpr int kForehead = 10, kChin = 152;

Vector Between(const float (*landmarks)[3], int from, int to) {
  return {landmarks[to][0] - landmarks[from][0], landmarks[to][1] - landmarks[from][1],
          landmarks[to][2] - landmarks[from][2]};
}

Vector Cross(const Vector& a, const Vector& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

float Stretch(float yaw) {
  const float excess = std::abs(yaw) - kFaithfulYaw;
  if (excess <= 0) return yaw;
  return std::copysign(std::min(kFaithfulYaw + kYawStretch * excess, kProfileYaw), yaw);
}

}  // namespace

Pose PoseOf(const float (*landmarks)[3]) {
  Vector across{};
  for (const auto& pair : kAcross) {
    const Vector part = Between(landmarks, pair[0], pair[1]);
    for (int i = 0; i < 3; ++i) across[i] += part[i];
  }
  // x is right, y down, z away from the camera: across x down points away, so the gaze is its
  // opposite.
  const Vector away = Cross(across, Between(landmarks, kForehead, kChin));
  Pose pose;
  pose.yaw = Stretch(std::atan2(-away[0], away[2]) * kDegrees);
  pose.pitch = std::atan2(-away[1], std::hypot(away[0], away[2])) * kDegrees;
  pose.roll = std::atan2(across[1], across[0]) * kDegrees;
  return pose;
}

}  // namespace talkface::vision
