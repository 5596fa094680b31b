// SPDX-License-Identifier: MIT
// The embedded default's face part, on a drawn portrait.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "models/portrait/portrait_scene.h"
#include "tests/units/support/warp_stage.h"

namespace talkface::auwarp {
namespace {

using testing::DrawnFace;
using testing::Extremes;
using testing::kClosed;
using testing::kParted;
using testing::Open;
using testing::Rgba;
using testing::Spoken;
using testing::Stage;
using testing::Still;

TEST(PortraitScene, RestIsThePortrait) {
  for (const DrawnFace& drawn : {kClosed, kParted}) {
    const Stage stage(drawn, Still(Rgba(320, 360)));
    EXPECT_EQ(stage.Render(Spoken{}), stage.portrait);
    Spoken muted = Open(0.08f);
    muted.gain = 0;
    EXPECT_EQ(stage.Render(muted), stage.portrait);
  }
}

TEST(PortraitScene, BrokenControlsAreRest) {
  const Stage stage(kClosed, Still(Rgba(320, 360)));
  Spoken frame;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  frame.expression.opening = nan;
  frame.expression.width = std::numeric_limits<float>::infinity();
  frame.expression.upper = frame.expression.jaw = nan;
  frame.expression.units.fill(nan);
  EXPECT_EQ(stage.Render(frame), stage.portrait);
}

TEST(PortraitScene, NothingMovesOutsideTwiceTheFaceBox) {
  for (const DrawnFace& drawn : {kClosed, kParted, DrawnFace{300, 200, 120, 120, 66}}) {
    const Stage stage(drawn, Still(Rgba(drawn.width, drawn.height)));
    const FaceInfo info = drawn.Info();
    const float left = info.box[0] - info.box[2] / 2, right = left + 2 * info.box[2];
    const float top = info.box[1] - info.box[3] / 2, bottom = top + 2 * info.box[3];
    for (const Spoken& frame : Extremes()) {
      const std::vector<uint8_t> out = stage.Render(frame);
      ASSERT_NE(out, stage.portrait);
      for (uint32_t y = 0; y < drawn.height; ++y) {
        for (uint32_t x = 0; x < drawn.width; ++x) {
          const float px = static_cast<float>(x), py = static_cast<float>(y);
          if (px > left && px < right && py > top && py < bottom) continue;
          const size_t at = 4 * (static_cast<size_t>(y) * drawn.width + x);
          for (size_t c = 0; c < 4; ++c) ASSERT_EQ(out[at + c], stage.portrait[at + c]);
        }
      }
    }
  }
}

TEST(PortraitScene, SameFrameOnEveryThread) {
  SceneSettings options =
      Still({320, 360, PixelFormat::kI420, ColorMatrix::kBt709, ChromaSite::kLeftCosited, false});
  options.idle_motion = true;
  const Stage stage(kClosed, options);
  Spoken frame = Open(0.05f);
  frame.time_ns = 1'234'000'000;
  const std::vector<uint8_t> wanted = stage.Render(frame);
  std::vector<std::thread> threads;
  std::vector<std::vector<uint8_t>> got(4);
  for (size_t i = 0; i < got.size(); ++i) {
    threads.emplace_back([&, i] {
      for (size_t k = 0; k <= i; ++k) stage.Render(Open(0.02f * static_cast<float>(k)));
      got[i] = stage.Render(frame);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& bytes : got) EXPECT_EQ(bytes, wanted);
}

// What is redrawn part by part must be the same as the RGBA frame converted whole.
TEST(PortraitScene, EveryFormatShowsTheSamePicture) {
  constexpr uint32_t kSizes[][2] = {{320, 360}, {321, 361}, {640, 301}, {97, 151}};
  for (const auto& size : kSizes) {
    for (const PixelFormat format : {PixelFormat::kI420, PixelFormat::kYV12, PixelFormat::kNV12,
                                     PixelFormat::kBGRx, PixelFormat::kRGB}) {
      for (const ChromaSite site :
           {ChromaSite::kCentered, ChromaSite::kLeftCosited, ChromaSite::kTopLeftCosited}) {
        SceneSettings options = Still(Rgba(size[0], size[1]));
        options.idle_motion = options.label = true;
        const Stage rgba(kClosed, options);
        options.target = {size[0], size[1], format, ColorMatrix::kBt601, site, false};
        const Stage other(kClosed, options);
        Spoken frame = Open(0.06f);
        frame.time_ns = 2'000'000'000;
        const std::vector<uint8_t> pixels = rgba.Render(frame);
        const imaging::FrameWriter writer(options.target);
        const imaging::FrameStore converted(
            writer, {pixels.data(), 4 * static_cast<ptrdiff_t>(size[0]), writer.Frame()});
        std::vector<uint8_t> wanted(converted.bytes());
        FrameTarget out{};
        size_t offset = 0, plane = 0;
        for (const imaging::PlaneSize& p : imaging::PlanesOf(options.target)) {
          out.planes[plane] = wanted.data() + offset;
          out.strides[plane++] = p.row_bytes;
          offset += p.row_bytes * p.rows;
        }
        converted.CopyTo(out);
        EXPECT_EQ(other.Render(frame), wanted)
            << size[0] << "x" << size[1] << " format " << static_cast<int>(format) << " site "
            << static_cast<int>(site);
      }
    }
  }
}

TEST(PortraitScene, FacesOfAnySizeAndPlace) {
  const DrawnFace faces[] = {
      {64, 64, 32, 40, 31},     {320, 360, 160, 230, 700},  // far larger than the picture
      {320, 360, 20, 340, 180},                             // in a corner
      {320, 360, 310, 20, 180}, {40, 600, 20, 300, 100},
      {8, 8, 4, 4, 5},          {320, 360, 900, 900, 180},  // outside
  };
  for (const DrawnFace& drawn : faces) {
    for (const auto& [width, height] : {std::pair(drawn.width, drawn.height), std::pair(176u, 145u),
                                        std::pair(2u, 2u), std::pair(1u, 9u)}) {
      SceneSettings options = Still({width, height, PixelFormat::kNV12, ColorMatrix::kBt601,
                                     ChromaSite::kTopLeftCosited, false});
      options.idle_motion = options.label = true;
      const Stage stage(drawn, options);
      for (Spoken frame : Extremes()) {
        frame.time_ns = 1'700'000'000;
        EXPECT_EQ(stage.Render(frame), stage.Render(frame));
      }
    }
  }
}

TEST(PortraitScene, KeepsAlphaAndLaysTheRestOverBlack) {
  DrawnFace drawn = kClosed;
  drawn.transparent = true;
  SceneSettings options = Still(Rgba(320, 360));
  const Stage still(drawn, options);
  EXPECT_EQ(still.Render(Spoken{}), still.portrait);
  options.idle_motion = true;
  const Stage moving(drawn, options);
  Spoken frame = Open(0.06f);
  frame.time_ns = 900'000'000;
  const std::vector<uint8_t> out = moving.Render(frame);
  EXPECT_NE(out, moving.portrait);
  int transparent = 0;
  for (size_t i = 3; i < out.size(); i += 4) transparent += out[i] < 100;
  EXPECT_GT(transparent, 320 * 360 / 4);
  options.target.format = PixelFormat::kBGRx;
  options.idle_motion = false;
  const std::vector<uint8_t> over_black = Stage(drawn, options).Render(Spoken{});
  for (size_t i = 0; i < over_black.size(); i += 4) {
    const uint8_t* p = &moving.portrait[i];
    ASSERT_EQ(over_black[i], (p[2] * p[3] + 127) / 255);
    ASSERT_EQ(over_black[i + 3], 255);
  }
}

TEST(PortraitScene, BordersAreBlackAndStay) {
  SceneSettings options = Still(Rgba(640, 360));
  options.idle_motion = true;
  const Stage stage(DrawnFace{320, 360, 30, 230, 180}, options);
  for (int i = 0; i < 20; ++i) {
    Spoken frame = Open(0.05f);
    frame.time_ns = static_cast<uint64_t>(i) * 333'000'000;
    const std::vector<uint8_t> out = stage.Render(frame);
    for (size_t y = 0; y < 360; ++y) {
      for (const size_t x : {size_t{0}, size_t{80}, size_t{159}, size_t{480}, size_t{639}}) {
        const uint8_t* p = &out[4 * (y * 640 + x)];
        ASSERT_EQ(p[0] + p[1] + p[2], 0);
        ASSERT_EQ(p[3], 255);
      }
    }
  }
}

TEST(Patch, RunsEqualSinglePixels) {
  const std::vector<uint8_t> portrait = kClosed.Draw();
  portrait::Patch patch;
  patch.Fill(portrait.data(), 4 * 320, {0, 0, 320, 360});
  std::vector<int32_t> x, y;
  for (int i = 0; i < 400; ++i) {
    x.push_back(256 * i + i * i % 700 - 300);
    y.push_back(256 * 50 + (i % 40 < 20 ? 3 * i : 77 * i));
  }
  std::vector<uint8_t> run(4 * 400), single(4 * 400);
  patch.Sample(x.data(), y.data(), 400, run.data());
  for (size_t i = 0; i < 400; ++i) patch.SampleOne(x[i], y[i], &single[4 * i]);
  EXPECT_EQ(run, single);
  for (int i = 0; i < 320; ++i)
    x[static_cast<size_t>(i)] = 256 * i, y[static_cast<size_t>(i)] = 256 * 359;
  patch.Sample(x.data(), y.data(), 320, run.data());
  EXPECT_TRUE(std::equal(run.begin(), run.begin() + 4 * 320, portrait.end() - 4 * 320));
}

TEST(EnrolWithLandmarks, RefusesWhatIsNoFace) {
  const std::vector<uint8_t> portrait = kClosed.Draw();
  EXPECT_ANY_THROW(portrait::EnrolWithLandmarks(testing::PixelsOf(kClosed, portrait), FaceInfo{}));
  EXPECT_ANY_THROW(portrait::EnrolWithLandmarks(Pixels{}, kClosed.Info()));
}

}  // namespace
}  // namespace talkface::auwarp
