// SPDX-License-Identifier: MIT
#include "models/families/auwarp/mouth/warped_mouth.h"

#include <algorithm>
#include <cmath>

namespace talkface::auwarp {
namespace {

using portrait::Colour;
using portrait::MouthMotion;
using portrait::MouthRow;
using portrait::Point;

constexpr float kLipSoftness = 0.006f;  // of a lip's edge, in face heights
constexpr float kLipFringe = 0.002f;

const WarpedMotion& Warped(const MouthMotion& motion) {
  return static_cast<const WarpedMotion&>(motion);
}

}  // namespace

WarpedMotion MotionOf(const Expression& expression, float gain,
                      const portrait::FaceGeometry& face) {
  WarpedMotion motion;
  motion.pose = PoseOf(expression, gain, face);
  // Lips drawn together hide the teeth.
  motion.inside.teeth = std::clamp(2.2f - 2 * motion.pose.pucker, 0.0f, 1.0f);
  motion.inside.jaw = motion.pose.jaw;
  motion.inside.moved = std::min(1.0f, 4 * motion.pose.close);
  return motion;
}

WarpedMouth::WarpedMouth(const portrait::MouthSite& site)
    : face_(site.face),
      map_(site.map),
      skin_(site.skin),
      fields_(face_, map_, site.grid),
      look_(MeasureLook(site.portrait, face_)),
      interior_(face_, look_, map_, skin_),
      lip_softness_(std::max(kLipSoftness, 1.3f * look_.blur)) {}

bool WarpedMouth::AtRest(const MouthMotion& motion) const { return Warped(motion).pose.AtRest(); }

void WarpedMouth::Move(const MouthMotion& motion, const portrait::NodeMotion& skin) const {
  fields_.Move(Warped(motion).pose, skin);
}

void WarpedMouth::Part(const MouthMotion& motion, size_t count, const float* v, float* upper,
                       float* lower) const {
  fields_.Part(Warped(motion).pose, count, v, upper, lower);
}

void WarpedMouth::DrawRow(const MouthMotion& motion, const MouthRow& row) const {
  for (int i = 0; i < row.count; ++i) DrawPixel(Warped(motion), row, i);
}

// Upper lip, lower lip and inside, each by the share of the pixel that it covers.
void WarpedMouth::DrawPixel(const WarpedMotion& motion, const MouthRow& row, int index) const {
  const int x = row.x0 + index, y = row.y;
  uint8_t* out = row.out + 4 * index;
  const int32_t upper_x = row.upper_x[index] + 256 * x, upper_y = row.upper_y[index] + 256 * y;
  const int32_t lower_x = row.lower_x[index] + 256 * x, lower_y = row.lower_y[index] + 256 * y;
  const Point upper =
      map_.ToFace(static_cast<float>(upper_x) / 256.0f, static_cast<float>(upper_y) / 256.0f);
  const Point lower =
      map_.ToFace(static_cast<float>(lower_x) / 256.0f, static_cast<float>(lower_y) / 256.0f);
  // A smile's lips end in pixels that are half tooth: those stay with the teeth.
  const float across = std::min(1.0f, face_.Across(upper.u));
  const float fringe = face_.shows_inside ? kLipFringe * (1 - across * across) : 0.0f;
  const float below_upper = upper.v - face_.upper_lip.At(upper.u) + fringe,
              above_lower = face_.lower_lip.At(lower.u) - lower.v + fringe;
  const float soft = std::max(lip_softness_ * (1 + across * across), 1.0f / map_.PixelsPerUnit());
  const float cover_upper = std::clamp(0.5f - below_upper / soft, 0.0f, 1.0f);
  const float cover_lower = std::clamp(0.5f - above_lower / soft, 0.0f, 1.0f);
  if (cover_upper >= 1) return skin_.SampleOne(upper_x, upper_y, out);
  if (cover_lower >= 1) return skin_.SampleOne(lower_x, lower_y, out);
  uint8_t lip_up[4], lip_down[4];
  skin_.SampleOne(upper_x, upper_y, lip_up);
  skin_.SampleOne(lower_x, lower_y, lip_down);
  const float cover_inside = std::max(0.0f, 1 - cover_upper - cover_lower);
  const float total = cover_upper + cover_lower + cover_inside;
  Colour colour{0, 0, 0};
  if (cover_inside > 0) {
    const Point at = map_.ToFace(static_cast<float>(x), static_cast<float>(y));
    colour = interior_.At(
        {row.head.OnSkull(at), std::max(0.0f, below_upper), std::max(0.0f, above_lower)},
        motion.inside);
  }
  const float inside[3] = {colour.r, colour.g, colour.b};
  for (int k = 0; k < 3; ++k) {
    const float value = cover_upper * static_cast<float>(lip_up[k]) +
                        cover_lower * static_cast<float>(lip_down[k]) + cover_inside * inside[k];
    out[k] = static_cast<uint8_t>(std::lrintf(value / total));
  }
  out[3] = 255;
}

std::unique_ptr<const portrait::MouthLayer> MakeWarpedMouth(const portrait::MouthSite& site) {
  return std::make_unique<const WarpedMouth>(site);
}

}  // namespace talkface::auwarp
