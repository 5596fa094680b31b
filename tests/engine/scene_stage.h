// SPDX-License-Identifier: MIT
// A drawn portrait, enrolled and ready to be rendered.
#pragma once

#include <memory>
#include <vector>

#include "models/auwarp/scene.h"
#include "tests/engine/drawn_face.h"

namespace talkface::testing {

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
        enrolled(auwarp::EnrolWithLandmarks(PixelsOf(drawn, portrait), drawn.Info())),
        scene(enrolled, options),
        target(options.target) {}

  // All planes, one after the other.
  std::vector<uint8_t> Render(const auwarp::WarpScene::Frame& frame) const {
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
  std::shared_ptr<const auwarp::EnrolledFace> enrolled;
  auwarp::WarpScene scene;
  TargetFormat target;
};

}  // namespace talkface::testing
