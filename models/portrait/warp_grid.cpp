// SPDX-License-Identifier: MIT
#include "models/portrait/warp_grid.h"

#include <algorithm>
#include <cmath>

namespace talkface::portrait {
namespace {

constexpr int kRounds = 16;
constexpr float kCloseEnough = 0.01f;  // pixels

}  // namespace

void WarpGrid::Sum(const MotionFields& f, const FaceMap& map, const FrameMotion& motion) {
  const size_t count = static_cast<size_t>(f.Count());
  u_.assign(count, 0.0f);
  v_.assign(count, 0.0f);
  for (std::vector<float>* sums : {&v_upper_, &v_lower_, &up_.x, &up_.y, &down_.x, &down_.y}) {
    sums->resize(count);
  }
  const bool speaks = motion.layer != nullptr && motion.mouth != nullptr;
  if (speaks) motion.layer->Move(*motion.mouth, {count, u_.data(), v_.data()});
  const HeadPose& head = motion.head;
  for (size_t i = 0; i < count; ++i) {
    u_[i] = u_[i] + head.u * f.head[i] - head.turn * f.head_v[i] + head.parallax * f.nearness[i];
    v_[i] = v_[i] + head.v * f.head[i] + head.turn * f.head_u[i] + head.brow * f.brow[i];
  }
  const float *above = v_.data(), *below = v_.data();
  if (speaks) {
    motion.layer->Part(*motion.mouth, count, v_.data(), v_upper_.data(), v_lower_.data());
    above = v_upper_.data(), below = v_lower_.data();
  }
  for (size_t i = 0; i < count; ++i) {
    up_.x[i] = map.xu * u_[i] + map.xv * above[i];
    up_.y[i] = map.yu * u_[i] + map.yv * above[i];
    down_.x[i] = map.xu * u_[i] + map.xv * below[i];
    down_.y[i] = map.yu * u_[i] + map.yv * below[i];
  }
}

// Fixed point of source = node - forward(source).
void WarpGrid::Invert(const MotionFields& f, const Forward& forward, int node, BackwardGrid* out) {
  const size_t n = static_cast<size_t>(node);
  float dx = forward.x[n], dy = forward.y[n];
  if (dx != 0 || dy != 0) {
    const float scale = 1.0f / static_cast<float>(f.step);
    const float i0 = static_cast<float>(node % f.columns),
                j0 = static_cast<float>(node / f.columns);
    const float last_i = static_cast<float>(f.columns - 1) - 0.001f,
                last_j = static_cast<float>(f.rows - 1) - 0.001f;
    for (int round = 0; round < kRounds; ++round) {
      const float i = std::min(std::max(i0 - dx * scale, 0.0f), last_i),
                  j = std::min(std::max(j0 - dy * scale, 0.0f), last_j);
      const int ci = static_cast<int>(i), cj = static_cast<int>(j);
      const float a = i - static_cast<float>(ci), b = j - static_cast<float>(cj);
      const size_t at = static_cast<size_t>(cj * f.columns + ci), below = at + f.columns;
      const float w00 = (1 - a) * (1 - b), w01 = a * (1 - b), w10 = (1 - a) * b, w11 = a * b;
      const float x = w00 * forward.x[at] + w01 * forward.x[at + 1] + w10 * forward.x[below] +
                      w11 * forward.x[below + 1];
      const float y = w00 * forward.y[at] + w01 * forward.y[at + 1] + w10 * forward.y[below] +
                      w11 * forward.y[below + 1];
      const float moved = std::abs(x - dx) + std::abs(y - dy);
      dx = x, dy = y;
      if (moved < kCloseEnough) break;
    }
  }
  out->x[n] = -static_cast<int32_t>(std::lrintf(256.0f * dx));
  out->y[n] = -static_cast<int32_t>(std::lrintf(256.0f * dy));
}

// Both layers of a node of the mouth, and which of them it surely is.
void WarpGrid::SolveMouthNode(const MotionFields& f, const FaceMap& map, const FaceGeometry& face,
                              int node) {
  const size_t n = static_cast<size_t>(node);
  Invert(f, up_, node, &upper_);
  Invert(f, down_, node, &lower_);
  const float x = static_cast<float>(f.X(node)), y = static_cast<float>(f.Y(node));
  const Point upper = map.ToFace(x + static_cast<float>(upper_.x[n]) / 256.0f,
                                 y + static_cast<float>(upper_.y[n]) / 256.0f);
  const Point lower = map.ToFace(x + static_cast<float>(lower_.x[n]) / 256.0f,
                                 y + static_cast<float>(lower_.y[n]) / 256.0f);
  const float margin = (1.5f * static_cast<float>(f.step) + 2.0f) / map.PixelsPerUnit();
  const float below_upper = upper.v - face.upper_lip.At(upper.u),
              above_lower = face.lower_lip.At(lower.u) - lower.v;
  if (face.Across(upper.u) > 1.1f && face.Across(lower.u) > 1.1f) {
    side_[n] = Side::kOneSkin;
  } else if (below_upper < -margin) {
    side_[n] = Side::kUpper;
  } else {
    side_[n] = above_lower < -margin ? Side::kLower : Side::kBoth;
  }
  const BackwardGrid& seen = above_lower < 0 && below_upper > 0 ? lower_ : upper_;
  skin_.x[n] = seen.x[n];
  skin_.y[n] = seen.y[n];
}

bool WarpGrid::Seam(const MotionFields& f, int column, int row) const {
  bool upper = false, lower = false;
  for (int k = 0; k < 4; ++k) {
    const Side side = side_[static_cast<size_t>((row + k / 2) * f.columns + column + k % 2)];
    if (side == Side::kBoth) return true;
    upper = upper || side == Side::kUpper;
    lower = lower || side == Side::kLower;
  }
  return upper && lower;
}

void WarpGrid::Solve(const MotionFields& f, const FaceMap& map, const FaceGeometry& face,
                     const FrameMotion& motion) {
  Sum(f, map, motion);
  const size_t count = static_cast<size_t>(f.Count());
  for (BackwardGrid* grid : {&skin_, &upper_, &lower_}) {
    grid->x.resize(count);
    grid->y.resize(count);
  }
  side_.resize(count);
  for (int j = 0; j < f.rows; ++j) {
    for (int i = 0; i < f.columns; ++i) {
      const int node = j * f.columns + i;
      if (i >= f.mouth_from && i <= f.mouth_to && j >= f.mouth_top && j <= f.mouth_bottom) {
        SolveMouthNode(f, map, face, node);
      } else {
        Invert(f, f.UpperSide(node) ? up_ : down_, node, &skin_);
      }
    }
  }
}

}  // namespace talkface::portrait
