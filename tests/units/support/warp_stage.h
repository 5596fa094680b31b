// SPDX-License-Identifier: MIT
// A drawn portrait, enrolled, in one format: what tests of the face part look at.
#pragma once

#include <memory>
#include <vector>

#include "models/families/auwarp/mouth/warped_mouth.h"
#include "models/portrait/portrait_scene.h"
#include "tests/units/support/drawn_face.h"

namespace talkface::auwarp::testing {

using talkface::testing::DrawnFace;
using talkface::testing::PixelsOf;

constexpr TargetFormat Rgba(uint32_t width, uint32_t height) {
  return {width, height, PixelFormat::kRGBA, ColorMatrix::kBt709, ChromaSite::kCentered, false};
}

inline SceneSettings Still(const TargetFormat& target) {
  SceneSettings options;
  options.target = target;
  options.idle_motion = false;
  return options;
}

// A frame of auwarp's.
struct Spoken {
  Expression expression;
  float gain = 1;
  portrait::Emphasis emphasis;
  uint64_t time_ns = 0;

  void Draw(const portrait::PortraitScene& scene, const FrameTarget& target) const {
    const WarpedMotion mouth = MotionOf(expression, gain, scene.geometry());
    scene.Render({&mouth, emphasis, time_ns}, target);
  }
};

struct Stage {
  Stage(const DrawnFace& drawn, const SceneSettings& options)
      : portrait(drawn.Draw()),
        enrolled(portrait::EnrolWithLandmarks(PixelsOf(drawn, portrait), drawn.Info())),
        scene(enrolled, options, &MakeWarpedMouth),
        target(options.target) {}

  // All planes, one after the other.
  std::vector<uint8_t> Render(const Spoken& frame) const {
    std::vector<std::vector<uint8_t>> planes;
    FrameTarget out{};
    for (const imaging::PlaneSize& size : imaging::PlanesOf(target))
      planes.emplace_back(size.row_bytes * size.rows, uint8_t{7});
    for (size_t i = 0; i < planes.size(); ++i) {
      out.planes[i] = planes[i].data();
      out.strides[i] = imaging::PlanesOf(target)[i].row_bytes;
    }
    frame.Draw(scene, out);
    std::vector<uint8_t> bytes;
    for (const auto& plane : planes) bytes.insert(bytes.end(), plane.begin(), plane.end());
    return bytes;
  }

  std::vector<uint8_t> portrait;
  std::shared_ptr<const portrait::EnrolledFace> enrolled;
  portrait::PortraitScene scene;
  TargetFormat target;
};

inline Spoken Open(float opening) {
  Spoken frame;
  frame.expression.opening = opening;
  frame.expression.jaw = 0.8f * opening;
  return frame;
}

// As far as controls ever go, and beyond.
inline std::vector<Spoken> Extremes() {
  std::vector<Spoken> frames;
  for (const float sign : {-1.0f, 1.0f}) {
    Spoken frame;
    frame.expression.opening = 0.2f * sign;
    frame.expression.width = 0.1f * sign;
    frame.expression.upper = 0.05f * sign;
    frame.expression.jaw = 0.15f;
    frame.expression.units = {5, 5, 5, 5, 5, 5};
    frame.gain = 4;
    frame.expression.speech = sign > 0 ? 1.0f : 0.0f;
    frames.push_back(frame);
    frame.expression.width = -frame.expression.width;
    frames.push_back(frame);
  }
  return frames;
}

inline const DrawnFace kClosed{320, 360, 160, 230, 180};
inline const DrawnFace kParted{320, 360, 160, 230, 180, 0.07f};

}  // namespace talkface::auwarp::testing
