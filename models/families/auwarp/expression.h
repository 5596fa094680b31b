// SPDX-License-Identifier: MIT
// What auwarp's speech part tells its face part, once a frame: action units and four mouth-shape
// coefficients.
#pragma once

#include <array>
#include <cstddef>

namespace talkface::auwarp {

// FACS: 10 upper lip raiser, 14 dimpler, 18 lip pucker, 20 lip stretcher, 25 lips part, 26 jaw
// drop.
constexpr std::array<int, 6> kUnitNumbers = {10, 14, 18, 20, 25, 26};
enum Unit { kAu10, kAu14, kAu18, kAu20, kAu25, kAu26 };

// Geometry is measured on the 468-point mesh without head pose, in face heights H (points 10 to
// 152), as the difference from the speaker's rest, scaled so that every speaker moves as much as
// the median one.
struct Expression {
  std::array<float, 6> units{};  // intensity 0..5
  float opening =
      0;  // gap of the inner lips (13-14) beyond rest; speech: 0..0.10, 95th percentile ~0.06
  float width = 0;  // mouth width (61-291) less its rest: pucker < 0 < stretch; speech: -0.05..0.05
  float upper = 0;  // upward travel of the upper lip (13); speech: -0.01..0.02
  float jaw = 0;    // downward travel of the chin (152); speech: 0..0.08
  // Is there sound to follow? 0 (idle: the portrait rests as it is) to 1 (`opening` is all there is
  // between the lips, so that a smile closes when it is 0); changes smoothly.
  float speech = 0;
};

}  // namespace talkface::auwarp
