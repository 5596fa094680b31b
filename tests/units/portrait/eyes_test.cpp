// SPDX-License-Identifier: MIT
// auwarp's lids, brows and head on drawn portraits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/portrait/brow_motion.h"
#include "tests/units/support/warp_stage.h"

namespace talkface::auwarp {
namespace {

using testing::DrawnFace;
using testing::Rgba;
using testing::Spoken;
using testing::Stage;
using testing::Still;

// A 128 pixel picture's face, a middling one, and one that fills 720 lines.
const DrawnFace kFaces[] = {
    {128, 128, 64, 84, 66}, {320, 360, 160, 230, 180}, {800, 720, 400, 460, 660}};
const DrawnFace kMiddling = kFaces[1];

// A portrait's lids, drawn without any other motion.
struct LidStage {
  explicit LidStage(const DrawnFace& drawn) : LidStage(drawn, drawn.Draw()) {}
  LidStage(const DrawnFace& face, std::vector<uint8_t> pixels)
      : drawn(face),
        rgba(std::move(pixels)),
        enrolled(portrait::EnrolWithLandmarks(testing::PixelsOf(drawn, rgba), drawn.Info())),
        map(enrolled->geometry, 1, 1, 0, 0) {
    const int width = static_cast<int>(drawn.width), height = static_cast<int>(drawn.height);
    patch.Fill(rgba.data(), 4 * static_cast<size_t>(drawn.width), {0, 0, width, height});
  }

  std::vector<uint8_t> Draw(float shut) const {
    const portrait::Lids lids(enrolled->geometry, map, patch);
    std::vector<uint8_t> out = rgba;
    const int count = static_cast<int>(drawn.width);
    std::vector<int32_t> x(drawn.width), y(drawn.width);
    for (int i = 0; i < count; ++i) x[static_cast<size_t>(i)] = 256 * i;
    for (int row = 0; row < static_cast<int>(drawn.height); ++row) {
      std::fill(y.begin(), y.end(), 256 * row);
      lids.Draw(
          {0, count, row, x.data(), y.data(), out.data() + 4 * static_cast<ptrdiff_t>(row) * count},
          shut);
    }
    return out;
  }

  // Of the drawn eyes, what is still seen: they are the only dark things at that height.
  int Dark(const std::vector<uint8_t>& pixels, uint8_t darkest) const {
    int count = 0;
    for (size_t i = 0; i < pixels.size(); i += 4) {
      const portrait::Point p = map.ToFace(static_cast<float>(i / 4 % drawn.width),
                                           static_cast<float>(i / 4 / drawn.width));
      count += std::abs(p.v + 0.435f) < 0.06f && std::abs(p.u) < 0.33f && pixels[i + 1] < darkest;
    }
    return count;
  }

  DrawnFace drawn;
  std::vector<uint8_t> rgba;
  std::shared_ptr<const portrait::EnrolledFace> enrolled;
  portrait::FaceMap map;
  portrait::Patch patch;
};

TEST(Lids, CloseOverTheWholeEye) {
  for (const DrawnFace& drawn : kFaces) {
    const LidStage stage(drawn);
    const int open = stage.Dark(stage.rgba, 90);
    int before = open;
    for (const float shut : {0.5f, 0.8f, 1.0f}) {
      const int seen = stage.Dark(stage.Draw(shut), 90);
      EXPECT_LT(seen, before) << drawn.face_height << " shut " << shut;
      before = seen;
    }
    // What is left is the line of lashes.
    EXPECT_LT(before, 0.4 * open) << drawn.face_height;
    EXPECT_LT(stage.Dark(stage.Draw(1), 45), 0.02 * open) << drawn.face_height;
  }
}

TEST(Lids, ChangeNothingButTheEyes) {
  for (const DrawnFace& drawn : kFaces) {
    const LidStage stage(drawn);
    EXPECT_EQ(stage.Draw(0), stage.rgba);
    for (const float shut : {0.25f, 1.0f}) {
      const std::vector<uint8_t> out = stage.Draw(shut);
      for (size_t i = 0; i < out.size(); ++i) {
        const portrait::Point p = stage.map.ToFace(static_cast<float>(i / 4 % drawn.width),
                                                   static_cast<float>(i / 4 / drawn.width));
        const bool eye = std::abs(p.v + 0.435f) < 0.08f && std::abs(std::abs(p.u) - 0.217f) < 0.13f;
        if (!eye || i % 4 == 3) {
          ASSERT_EQ(out[i], stage.rgba[i]) << p.u << " " << p.v;
        }
      }
    }
  }
}

TEST(Lids, KeepAGreyPortraitGrey) {
  std::vector<uint8_t> grey = kMiddling.Draw();
  for (size_t i = 0; i < grey.size(); i += 4) grey[i] = grey[i + 2] = grey[i + 1];
  const std::vector<uint8_t> out = LidStage(kMiddling, grey).Draw(1);
  EXPECT_NE(out, grey);
  for (size_t i = 0; i < out.size(); i += 4) {
    ASSERT_EQ(out[i], out[i + 1]);
    ASSERT_EQ(out[i], out[i + 2]);
  }
}

// A lid takes its light from the skin round it: no lighter and hardly darker than that.
TEST(Lids, AreOfTheSkinRoundTheEye) {
  const LidStage stage(kMiddling);
  const std::vector<uint8_t> out = stage.Draw(1);
  for (const float u : {-0.217f, 0.217f}) {
    const portrait::Point eye = stage.map.ToFrame({u, -0.448f}),
                          skin = stage.map.ToFrame({u, -0.36f});
    const auto at = [&](portrait::Point p) {
      return &out[4 * (static_cast<size_t>(p.v) * kMiddling.width + static_cast<size_t>(p.u))];
    };
    for (int c = 0; c < 3; ++c) EXPECT_NEAR(at(eye)[c], at(skin)[c], 0.2 * at(skin)[c] + 8) << c;
  }
}

portrait::FaceGeometry Measure(const DrawnFace& drawn, const FaceInfo& info,
                               std::vector<uint8_t>* rgba) {
  if (rgba->empty()) *rgba = drawn.Draw();
  return portrait::MeasureFace(testing::PixelsOf(drawn, *rgba), info);
}

TEST(EyesThatCanClose, AreDecidedOneByOneOnATurnedFace) {
  std::vector<uint8_t> rgba;
  FaceInfo info = kMiddling.Info();
  const portrait::FaceGeometry frontal = Measure(kMiddling, info, &rgba);
  EXPECT_TRUE(frontal.eyes[0].can_close);
  EXPECT_TRUE(frontal.eyes[1].can_close);
  // The right eye as narrow as on a face in three-quarter view and beyond.
  constexpr int kEye[] = {362, 398, 384, 385, 386, 387, 388, 466,
                          263, 382, 381, 380, 374, 373, 390, 249};
  const float corner = info.landmarks[362][0];
  for (const int l : kEye) info.landmarks[l][0] = corner + 0.4f * (info.landmarks[l][0] - corner);
  const portrait::FaceGeometry turned = Measure(kMiddling, info, &rgba);
  EXPECT_TRUE(turned.eyes[0].can_close);
  EXPECT_FALSE(turned.eyes[1].can_close);
}

TEST(EyesThatCanClose, AreNotThoseOfADrawingLargerThanTheMesh) {
  std::vector<uint8_t> rgba = kMiddling.Draw();
  for (size_t i = 0; i < rgba.size(); i += 4) {
    const float u = (static_cast<float>(i / 4 % kMiddling.width) - kMiddling.x) / 180,
                v = (static_cast<float>(i / 4 / kMiddling.width) - kMiddling.y) / 180;
    if (std::hypot(std::abs(u) - 0.217f, v + 0.40f) < 0.09f) rgba[i] = 40, rgba[i + 2] = 220;
  }
  const portrait::FaceGeometry face = Measure(kMiddling, kMiddling.Info(), &rgba);
  EXPECT_FALSE(face.eyes[0].can_close);
  EXPECT_FALSE(face.eyes[1].can_close);
}

TEST(BrowMotion, RaisesTheBrowsAndLittleElse) {
  std::vector<uint8_t> rgba;
  const portrait::FaceGeometry face = Measure(kMiddling, kMiddling.Info(), &rgba);
  const portrait::BrowMotion brows(face);
  for (const int brow : {105, 52, 334, 282}) EXPECT_LT(brows.At(face.points[brow]), -0.8f);
  for (const int upper_lid : {159, 386}) {
    EXPECT_LT(brows.At(face.points[upper_lid]), -0.1f);
    EXPECT_GT(brows.At(face.points[upper_lid]), -0.35f);
  }
  for (const int elsewhere : {145, 374, 1, 13, 152, 234, 454})
    EXPECT_GT(brows.At(face.points[elsewhere]), -0.02f) << elsewhere;
}

TEST(PortraitScene, BrowsAndHeadRestWithoutIdleMotion) {
  const Stage stage(kMiddling, Still(Rgba(320, 360)));
  Spoken frame;
  frame.time_ns = 3'000'000'000;
  frame.emphasis = {1, 1};
  EXPECT_EQ(stage.Render(frame), stage.portrait);
}

TEST(PortraitScene, IdleMotionKeepsWithinTwiceTheFaceBox) {
  for (const DrawnFace& drawn : {kMiddling, DrawnFace{300, 200, 120, 120, 66}}) {
    SceneSettings options = Still(Rgba(drawn.width, drawn.height));
    options.idle_motion = true;
    const Stage stage(drawn, options);
    const FaceInfo info = drawn.Info();
    const float left = info.box[0] - info.box[2] / 2, right = left + 2 * info.box[2];
    const float top = info.box[1] - info.box[3] / 2, bottom = top + 2 * info.box[3];
    for (int i = 0; i < 40; ++i) {
      Spoken frame;
      frame.time_ns = static_cast<uint64_t>(i) * 777'000'000;
      frame.emphasis = {1, static_cast<float>(i % 2)};
      const std::vector<uint8_t> out = stage.Render(frame);
      ASSERT_NE(out, stage.portrait);
      for (size_t at = 0; at < out.size(); ++at) {
        const float x = static_cast<float>(at / 4 % drawn.width),
                    y = static_cast<float>(at / 4 / drawn.width);
        if (x > left && x < right && y > top && y < bottom) continue;
        ASSERT_EQ(out[at], stage.portrait[at]) << x << "," << y;
      }
    }
  }
}

TEST(PortraitScene, BlinksWhenBlinksUntilSaysSo) {
  SceneSettings options = Still(Rgba(320, 360));
  options.idle_motion = true;
  options.seed = 5;
  const Stage stage(kMiddling, options);
  const portrait::Blink blink = portrait::BlinksUntil(10'000'000'000, 5).front();
  const auto dark = [&](uint64_t time) {
    Spoken frame;
    frame.time_ns = time;
    const std::vector<uint8_t> out = stage.Render(frame);
    int count = 0;
    for (size_t y = 130; y < 190; ++y)
      for (size_t x = 100; x < 220; ++x) count += out[4 * (y * 320 + x) + 2] < 50;
    return count;
  };
  const int open = dark(blink.begin_ns);
  EXPECT_GT(open, 250);
  EXPECT_LT(dark(blink.begin_ns + 45 * blink.length_ns / 100), open / 3);
  EXPECT_NEAR(dark(blink.begin_ns + blink.length_ns), open, 0.1 * open);
}

}  // namespace
}  // namespace talkface::auwarp
