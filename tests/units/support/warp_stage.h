// SPDX-License-Identifier: MIT
// A drawn portrait, enrolled, in one format: what tests of the face part look at.
#pragma once

#include <memory>
#include <vector>

#include "models/portrait/scene.h"
#include "tests/units/support/drawn_face.h"

namespace talkface::auwarp::testing {

using talkface::testing::DrawnFace;
using talkface::testing::PixelsOf;

constexpr TargetFormat Rgba(uint32_t width, uint32_t height) {
  return {width, height, PixelFormat::kRGBA, ColorMatrix::kBt709, ChromaSite::kCentered, false};
}

inline SceneOptions Still(const TargetFormat& target) {
  SceneOptions options;
  options.target = target;
  options.idle_motion = false;
  return options;
}

struct Stage {
  Stage(const DrawnFace& drawn, const SceneOptions& options)
      : portrait(drawn.Draw()),
        enrolled(EnrolWithLandmarks(PixelsOf(drawn, portrait), drawn.Info())),
        scene(enrolled, options),
        target(options.target) {}

  // All planes, one after the other.
  std::vector<uint8_t> Render(const WarpScene::Frame& frame) const {
    std::vector<std::vector<uint8_t>> planes;
    FrameTarget out{};
    for (const compose::PlaneSize& size : compose::PlanesOf(target))
      planes.emplace_back(size.row_bytes * size.rows, uint8_t{7});
    for (size_t i = 0; i < planes.size(); ++i) {
      out.planes[i] = planes[i].data();
      out.strides[i] = compose::PlanesOf(target)[i].row_bytes;
    }
    scene.Render(frame, out);
    std::vector<uint8_t> bytes;
    for (const auto& plane : planes) bytes.insert(bytes.end(), plane.begin(), plane.end());
    return bytes;
  }

  std::vector<uint8_t> portrait;
  std::shared_ptr<const EnrolledFace> enrolled;
  WarpScene scene;
  TargetFormat target;
};

inline WarpScene::Frame Open(float opening) {
  WarpScene::Frame frame;
  frame.expression.opening = opening;
  frame.expression.jaw = 0.8f * opening;
  return frame;
}

// As far as controls ever go, and beyond.
inline std::vector<WarpScene::Frame> Extremes() {
  std::vector<WarpScene::Frame> frames;
  for (const float sign : {-1.0f, 1.0f}) {
    WarpScene::Frame frame;
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
