// SPDX-License-Identifier: MIT
// How one thing goes over into another: the curves that the face part fades and blends by.
#pragma once

#include <algorithm>
#include <cmath>

namespace talkface {

// 0 up to t = 0, 1 from t = 1 on, without a corner at either end.
inline float SmoothStep(float t) {
  t = std::clamp(t, 0.0f, 1.0f);
  return t * t * (3 - 2 * t);
}

// The same from x = `from` to x = `to`.
inline float SmoothStep(float from, float to, float x) {
  return SmoothStep((x - from) / (to - from));
}

// A bell of height 1; `x` in standard deviations.
inline float Gauss(float x) { return static_cast<float>(std::exp(-0.5 * x * x)); }

}  // namespace talkface
