// SPDX-License-Identifier: MIT
// How long the embedded default's face part takes: one thread's processor
// time, no speech, no element.
#include <cstdio>
#include <ctime>

#include "models/families/auwarp/mouth/warped_mouth.h"
#include "models/imaging/frame_writer.h"
#include "models/portrait/portrait_scene.h"
#include "tests/units/support/drawn_face.h"

namespace talkface {
namespace {

struct Case {
  const char* name;
  uint32_t width, height;
  float face;  // height over the frame's
  PixelFormat format;
};

constexpr Case kCases[] = {
    {"512x512 I420, face 1/3", 512, 512, 0.33f, PixelFormat::kI420},
    {"1280x720 I420, face 1/3", 1280, 720, 0.33f, PixelFormat::kI420},
    {"1920x1080 I420, face 1/3", 1920, 1080, 0.33f, PixelFormat::kI420},
    {"1920x1080 NV12, face 1/3", 1920, 1080, 0.33f, PixelFormat::kNV12},
    {"1920x1080 RGBA, face 1/3", 1920, 1080, 0.33f, PixelFormat::kRGBA},
    {"1920x1080 I420, face fills", 1920, 1080, 0.92f, PixelFormat::kI420},
};

// This thread's processor time: other programs on the machine do not count.
double Now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

void Measure(const Case& c) {
  const float height = static_cast<float>(c.height);
  testing::DrawnFace face{c.width, c.height, static_cast<float>(c.width) / 2,
                          0.5f * height + 0.25f * c.face * height, c.face * height};
  const std::vector<uint8_t> portrait = face.Draw();
  const double begin = Now();
  const auto enrolled =
      portrait::EnrolWithLandmarks(testing::PixelsOf(face, portrait), face.Info());
  SceneSettings options;
  options.target = {c.width, c.height, c.format, ColorMatrix::kBt709, ChromaSite::kLeftCosited,
                    false};
  const portrait::PortraitScene scene(enrolled, options, &auwarp::MakeWarpedMouth);
  const double prepared = Now() - begin;
  std::vector<std::vector<uint8_t>> planes;
  FrameTarget target{};
  for (const imaging::PlaneSize& plane : imaging::PlanesOf(options.target)) {
    planes.emplace_back(plane.row_bytes * plane.rows);
    target.planes[planes.size() - 1] = planes.back().data();
    target.strides[planes.size() - 1] = plane.row_bytes;
  }
  constexpr int kFrames = 250;
  double best = 1e9, sum = 0;
  for (int i = 0; i < kFrames; ++i) {
    auwarp::Expression expression;
    expression.opening = 0.002f * static_cast<float>(i % 30);
    expression.jaw = 0.8f * expression.opening;
    const double start = Now();
    const auwarp::WarpedMotion mouth = auwarp::MotionOf(expression, 1, scene.geometry());
    scene.Render({&mouth, {}, static_cast<uint64_t>(i) * 40'000'000}, target);
    const double took = Now() - start;
    best = std::min(best, took);
    sum += took;
  }
  std::printf("%-28s %8.2f %8.2f %8.0f %9.1f\n", c.name, sum / kFrames, best, 1000 * kFrames / sum,
              prepared);
}

}  // namespace
}  // namespace talkface

int main() {
  std::printf("%-28s %8s %8s %8s %9s\n", "frame", "mean ms", "best ms", "fps", "enrol ms");
  for (const talkface::Case& c : talkface::kCases) talkface::Measure(c);
  return 0;
}
