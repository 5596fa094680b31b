// SPDX-License-Identifier: MIT
#include "models/families/auwarp/mouth/jaw_motion.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "models/core/falloff.h"

namespace talkface::auwarp {
namespace {

struct Weight {
  int left, right;  // landmarks of the two sides
  float travel;     // downward, for a jaw that moves the inner lower lip by 1.06
};

// Regression over 13067 frames of a GRID speaker on the gap of the inner lips, nose pinned; the
// same shape, within 20 %, on 19 others.
constexpr Weight kShared[] = {
    {61, 291, .35f},  {57, 287, .24f},  {204, 424, .50f}, {202, 422, .34f}, {205, 425, .12f},
    {200, 200, .99f}, {152, 152, .94f}, {148, 377, .88f}, {176, 400, .75f}, {149, 378, .65f},
    {150, 379, .51f}, {136, 365, .44f}, {172, 397, .39f}, {58, 288, .30f},  {132, 361, .14f},
    {93, 323, .04f},  {234, 454, 0},    {127, 356, 0},    {2, 2, 0},        {98, 327, 0},
    {1, 1, 0},        {36, 266, .02f},  {50, 280, .02f},  {101, 330, 0},    {6, 6, 0},
    {145, 374, 0},    {33, 263, 0},     {10, 10, 0},      {67, 297, 0},     {103, 332, 0},
    {54, 284, 0},     {78, 308, .35f}};
constexpr std::array<int, 9> kUpperLipInner = {191, 80, 81, 82, 13, 312, 311, 310, 415};
constexpr std::array<int, 9> kUpperLipOuter = {185, 40, 39, 37, 0, 267, 269, 270, 409};
constexpr std::array<int, 9> kLowerLipInner = {95, 88, 178, 87, 14, 317, 402, 318, 324};
constexpr std::array<int, 9> kLowerLipOuter = {146, 91, 181, 84, 17, 314, 405, 321, 375};
constexpr std::array<int, 3> kBelowLip = {18, 83, 313};
// The lower half of the face's outline. Beyond it the motion must die slowly: a shorter way doubles
// the chin's line.
constexpr std::array<int, 17> kOutline = {132, 58,  172, 136, 150, 149, 176, 148, 152,
                                          377, 400, 378, 379, 365, 397, 288, 361};
constexpr float kCorner = 0.35f;
constexpr float kInnerRing = 1.15f, kOuterRing = 1.45f;

float OutlineTravel(int landmark) {
  for (const Weight& w : kShared)
    if (w.left == landmark || w.right == landmark) return w.travel;
  return 0;
}

// `middle` in the mouth's middle, the corner's travel at its corners.
template <size_t N>
void AddLip(const portrait::FaceGeometry& face, const std::array<int, N>& landmarks, float middle,
            std::vector<portrait::ControlPoint>* out) {
  for (const int k : landmarks) {
    const portrait::Point p = face.points[k];
    const float t = std::min(1.0f, face.Across(p.u));
    out->push_back({p, kCorner + (middle - kCorner) * (1 - std::pow(t, 2.25f))});
  }
}

}  // namespace

JawMotion::JawMotion(const portrait::FaceGeometry& face) : face_(face) {
  std::vector<portrait::ControlPoint> shared;
  for (const Weight& w : kShared) {
    shared.push_back({face.points[w.left], w.travel});
    if (w.right != w.left) shared.push_back({face.points[w.right], w.travel});
  }
  const portrait::Point centre = face.box_centre;
  for (const int k : kOutline) {
    const portrait::Point p = face.points[k];
    for (const float ring : {kInnerRing, kOuterRing}) {
      const portrait::Point at{centre.u + ring * (p.u - centre.u),
                               centre.v + ring * (p.v - centre.v)};
      shared.push_back({at, ring == kInnerRing ? 0.6f * OutlineTravel(k) : 0.0f});
    }
  }
  std::vector<portrait::ControlPoint> upper = shared, lower = std::move(shared);
  AddLip(face, kUpperLipInner, 0.06f, &upper);
  AddLip(face, kUpperLipOuter, 0.03f, &upper);
  AddLip(face, kLowerLipInner, 1.06f, &lower);
  AddLip(face, kLowerLipOuter, 1.28f, &lower);
  AddLip(face, kBelowLip, 1.16f, &lower);
  upper_ = std::make_unique<portrait::SmoothField>(upper);
  lower_ = std::make_unique<portrait::SmoothField>(lower);
}

// Nothing moves beyond 1.65 of the landmarks' hull: "outside twice the face box" stays still.
float JawMotion::Window(portrait::Point p) const {
  const float r = std::hypot((p.u - face_.box_centre.u) / face_.box_half.u,
                             (p.v - face_.box_centre.v) / face_.box_half.v);
  return 1 - SmoothStep(1.25f, 1.65f, r);
}

namespace {

// How much a place belongs to the lips: 1 between the corners, 0 beyond them.
float BetweenCorners(const portrait::FaceGeometry& face, float u) {
  return 1 - SmoothStep(0.78f, 1.0f, face.Across(u));
}

// Beyond the corners there is one skin: above the mouth's height as the upper lip's, below as the
// lower's.
float OneSkin(const portrait::FaceGeometry& face, portrait::Point p, float upper, float lower) {
  const float line = face.upper_lip.At(p.u);
  return upper + (lower - upper) * SmoothStep(-0.04f, 0.04f, p.v - line);
}

}  // namespace

float JawMotion::Upper(portrait::Point p) const {
  const float window = Window(p);
  if (window == 0) return 0;
  const float between = BetweenCorners(face_, p.u);
  const float lip = upper_->At({p.u, std::min(p.v, face_.upper_lip.At(p.u))});
  if (between == 1) return window * lip;
  const float skin = OneSkin(face_, p, upper_->At(p), lower_->At(p));
  return window * (between * lip + (1 - between) * skin);
}

float JawMotion::Lower(portrait::Point p) const {
  const float window = Window(p);
  if (window == 0) return 0;
  const float between = BetweenCorners(face_, p.u);
  const float lip = lower_->At({p.u, std::max(p.v, face_.lower_lip.At(p.u))});
  if (between == 1) return window * lip;
  const float skin = OneSkin(face_, p, upper_->At(p), lower_->At(p));
  return window * (between * lip + (1 - between) * skin);
}

}  // namespace talkface::auwarp
