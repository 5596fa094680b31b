// SPDX-License-Identifier: MIT
// How lips part, close and look inside, on a drawn portrait.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
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
using testing::PixelsOf;
using testing::Rgba;
using testing::Spoken;
using testing::Stage;
using testing::Still;

// Lips are the only pixels much redder than green below the nose; between them they are not.
float MeasureGap(const DrawnFace& drawn, const std::vector<uint8_t>& rgba) {
  const size_t x = static_cast<size_t>(drawn.x);
  float gap = 0;
  int first = 0, last = 0;
  for (uint32_t y = static_cast<uint32_t>(drawn.y - 0.06f * drawn.face_height);
       y < static_cast<uint32_t>(drawn.y + 0.25f * drawn.face_height); ++y) {
    const uint8_t* p = &rgba[4 * (static_cast<size_t>(y) * drawn.width + x)];
    const bool lip = p[0] > 130 && p[0] - p[1] > 65;
    if (!lip) continue;
    if (first == 0) first = static_cast<int>(y);
    if (last != 0 && static_cast<int>(y) > last + 1)
      gap = std::max(gap, static_cast<float>(static_cast<int>(y) - last - 1));
    last = static_cast<int>(y);
  }
  return gap / drawn.face_height;
}

TEST(PortraitScene, OpeningPartsTheLips) {
  DrawnFace drawn{640, 720, 320, 460, 360};
  const Stage stage(drawn, Still(Rgba(640, 720)));
  float before = MeasureGap(drawn, stage.portrait);
  const float line = before;  // the drawn line between the lips
  EXPECT_LT(line, 0.02f);
  for (const float opening : {0.015f, 0.03f, 0.045f, 0.06f, 0.08f}) {
    const float gap = MeasureGap(drawn, stage.Render(Open(opening)));
    const float wanted =
        PoseOf(Open(opening).expression, 1, stage.enrolled->geometry).Gap(stage.enrolled->geometry);
    EXPECT_GT(gap, before) << opening;
    EXPECT_NEAR(gap, wanted + line, 0.012f) << opening;
    before = gap;
  }
}

TEST(MouthPose, GrowsWithTheExpressionAndStaysInBounds) {
  for (const DrawnFace& drawn : {kClosed, kParted}) {
    const std::vector<uint8_t> portrait = drawn.Draw();
    const portrait::FaceGeometry face =
        portrait::MeasureFace(PixelsOf(drawn, portrait), drawn.Info());
    EXPECT_EQ(face.shows_inside, drawn.gap > 0);
    float before = 0;
    for (int i = 1; i <= 30; ++i) {
      const MouthPose pose = PoseOf(Open(0.01f * static_cast<float>(i)).expression, 1, face);
      EXPECT_GE(pose.Gap(face), before);
      before = pose.Gap(face);
      EXPECT_LE(pose.Gap(face), 0.15f);
    }
    for (const Spoken& frame : Extremes()) {
      const MouthPose pose = PoseOf(frame.expression, frame.gain, face);
      EXPECT_GE(pose.Gap(face), -1e-6f);
      EXPECT_GE(pose.width, -0.09f);
      EXPECT_LE(pose.width, 0.05f);
    }
  }
}

// Else a mouth that opens would be seen to widen.
TEST(MouthPose, CornersComeInAsTheMouthOpens) {
  for (const DrawnFace& drawn : {kClosed, kParted}) {
    const portrait::FaceGeometry face =
        portrait::MeasureFace(PixelsOf(drawn, drawn.Draw()), drawn.Info());
    Expression shut, open;
    shut.speech = open.speech = 1;
    open.opening = 0.05f;
    const MouthPose from = PoseOf(shut, 1, face), to = PoseOf(open, 1, face);
    EXPECT_NEAR(from.width, 0, 0.031f);
    EXPECT_LT(to.width, from.width - 0.25f * to.Gap(face));
    // And follow what is asked for besides.
    open.width = 0.01f;
    EXPECT_GT(PoseOf(open, 1, face).width, to.width + 0.017f);
  }
}

Spoken Speaking(float speech, float opening) {
  Spoken frame = Open(opening);
  frame.expression.speech = speech;
  return frame;
}

// Drawn teeth are the only bright neutral pixels.
int CountTeeth(const std::vector<uint8_t>& rgba) {
  int count = 0;
  for (size_t i = 0; i < rgba.size(); i += 4) {
    const uint8_t* p = &rgba[i];
    count += p[0] > 200 && p[1] > 195 && p[2] > 185 && p[0] - p[2] < 30;
  }
  return count;
}

double MeanDifference(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return sum / static_cast<double>(a.size());
}

const DrawnFace kLargeParted{640, 720, 320, 440, 360, 0.07f};

TEST(PortraitScene, PartedLipsMeetWhileSomebodySpeaks) {
  const Stage stage(kLargeParted, Still(Rgba(640, 720)));
  ASSERT_TRUE(stage.enrolled->geometry.shows_inside);
  const int at_rest = CountTeeth(stage.portrait);
  ASSERT_GT(at_rest, 1000);
  ASSERT_GT(MeasureGap(kLargeParted, stage.portrait), 0.06f);
  const std::vector<uint8_t> closed = stage.Render(Speaking(1, 0));
  EXPECT_LT(CountTeeth(closed), at_rest / 8);
  EXPECT_LT(MeasureGap(kLargeParted, closed), 0.015f);
  EXPECT_LT(MeasureGap(kLargeParted, stage.Render(Speaking(0, -0.07f))), 0.015f);
  float before = 0;
  for (const float opening : {0.02f, 0.04f, 0.06f, 0.08f}) {
    const float gap = MeasureGap(kLargeParted, stage.Render(Speaking(1, opening)));
    EXPECT_NEAR(gap,
                PoseOf(Speaking(1, opening).expression, 1, stage.enrolled->geometry)
                    .Gap(stage.enrolled->geometry),
                0.012f);
    EXPECT_GT(gap, before);
    before = gap;
  }
  Spoken muted = Speaking(1, 0);
  muted.gain = 0;
  EXPECT_EQ(stage.Render(muted), stage.portrait);
}

TEST(PortraitScene, SpeechBeginsAndEndsWithoutAJump) {
  for (const DrawnFace& drawn : {kLargeParted, DrawnFace{640, 720, 320, 440, 360}}) {
    const Stage stage(drawn, Still(Rgba(640, 720)));
    const double whole = MeanDifference(stage.Render(Speaking(1, 0.02f)), stage.portrait);
    std::vector<uint8_t> before = stage.portrait;
    double longest = 0;
    constexpr int kSteps = 50;
    for (int i = 1; i <= kSteps; ++i) {
      const float share = static_cast<float>(i) / kSteps;
      const std::vector<uint8_t> frame = stage.Render(Speaking(share, 0.02f * share));
      longest = std::max(longest, MeanDifference(frame, before));
      before = frame;
    }
    EXPECT_LT(longest, 0.15 * whole) << drawn.gap;
  }
}

// The inside of the mouth in its middle column: shares of bright (teeth) and dark pixels.
struct Inside {
  int teeth_end = 0;  // y below the upper teeth
  int dark = 0;
};

Inside LookInside(const DrawnFace& drawn, const std::vector<uint8_t>& rgba) {
  Inside inside;
  const size_t x = static_cast<size_t>(drawn.x + 0.02f * drawn.face_height);
  for (int y = static_cast<int>(drawn.y - 0.03f * drawn.face_height);
       y < static_cast<int>(drawn.y + 0.12f * drawn.face_height); ++y) {
    const uint8_t* p = &rgba[4 * (static_cast<size_t>(y) * drawn.width + x)];
    const bool lip = p[0] - p[1] > 60;
    if (lip && inside.dark > 0) break;
    if (lip) continue;
    if (p[1] > 80 && inside.dark == 0) inside.teeth_end = y + 1;
    inside.dark += p[0] < 80 && inside.teeth_end > 0;
  }
  return inside;
}

TEST(PortraitScene, TeethStayWithTheSkullAndTheInsideChanges) {
  const DrawnFace drawn{640, 720, 320, 440, 360};
  const Stage stage(drawn, Still(Rgba(640, 720)));
  const Inside half = LookInside(drawn, stage.Render(Open(0.05f))),
               wide = LookInside(drawn, stage.Render(Open(0.09f)));
  EXPECT_GT(half.teeth_end, 440);
  EXPECT_NEAR(half.teeth_end, wide.teeth_end, 2);
  EXPECT_GT(wide.dark, half.dark + 5);
  Spoken pucker = Open(0.05f);
  pucker.expression.units[kAu18] = 5;
  EXPECT_EQ(LookInside(drawn, stage.Render(pucker)).teeth_end, 0);
}

TEST(MouthLook, TakesItsColoursFromThePicture) {
  const DrawnFace drawn = kClosed;
  std::vector<uint8_t> colour = drawn.Draw(), grey = colour;
  for (size_t i = 0; i < grey.size(); i += 4) grey[i] = grey[i + 2] = grey[i + 1];
  const auto look = [&](const std::vector<uint8_t>& rgba) {
    return MeasureLook(PixelsOf(drawn, rgba),
                       portrait::MeasureFace(PixelsOf(drawn, rgba), drawn.Info()));
  };
  const MouthLook warm = look(colour), cold = look(grey);
  EXPECT_GT(warm.dark.r, 1.2f * warm.dark.b);
  for (const portrait::Colour& c : {cold.tooth, cold.dark, cold.tongue, cold.shadow}) {
    EXPECT_NEAR(c.r, c.g, 0.5f);
    EXPECT_NEAR(c.b, c.g, 0.5f);
  }
  std::vector<uint8_t> dim = colour;
  for (uint8_t& value : dim) value = static_cast<uint8_t>(value / 2);
  for (size_t i = 3; i < dim.size(); i += 4) dim[i] = 255;
  EXPECT_NEAR(look(dim).tooth.Luma(), 0.5f * warm.tooth.Luma(), 3);
}

// A turned face: what lies left of its middle is seen at half its width.
TEST(MouthFields, FarSideOfATurnedFaceMovesLess) {
  DrawnFace drawn = kClosed;
  drawn.far_side = 0.5f;
  const std::vector<uint8_t> portrait = drawn.Draw();
  const portrait::FaceGeometry face =
      portrait::MeasureFace(PixelsOf(drawn, portrait), drawn.Info());
  ASSERT_NEAR(face.left, 0.5f * face.right, 0.02f);
  const portrait::FaceMap map(face, 1, 1, 0, 0);
  const portrait::GridShape grid = portrait::BuildMotionFields(face, map, {0, 0, 320, 360}, false);
  const MouthFields fields(face, map, grid);
  const auto at = [&](const std::vector<float>& field, float u) {
    const portrait::Point p = map.ToFrame({u, face.upper_lip.At(u)});
    const int column = static_cast<int>(std::lrintf(p.u - grid.x0)) / grid.step,
              row = static_cast<int>(std::lrintf(p.v - grid.y0)) / grid.step;
    return field[static_cast<size_t>(row * grid.columns + column)];
  };
  EXPECT_NEAR(at(fields.width, -face.left) / at(fields.width, face.right), -0.5f, 0.08f);
  // Both halves open: the lips part alike half way to either corner.
  EXPECT_NEAR(at(fields.part_lower, -0.5f * face.left), at(fields.part_lower, 0.5f * face.right),
              0.15f);
  EXPECT_GT(at(fields.part_lower, -0.5f * face.left), 0.5f);
}

TEST(Patch, DoubledKeepsPixelsAndRounds) {
  const std::vector<uint8_t> portrait = kClosed.Draw();
  portrait::Patch plain, doubled;
  plain.Fill(portrait.data(), 4 * 320, {0, 0, 320, 360});
  doubled.FillDoubled(plain);
  std::vector<int32_t> x(320), y(320);
  std::vector<uint8_t> run(4 * 320), single(4 * 320);
  for (int row = 0; row < 360; row += 7) {
    for (int i = 0; i < 320; ++i) {
      x[static_cast<size_t>(i)] = 256 * i;
      y[static_cast<size_t>(i)] = 256 * row;
    }
    doubled.Sample(x.data(), y.data(), 320, run.data());
    ASSERT_TRUE(std::equal(run.begin(), run.end(), &portrait[static_cast<size_t>(4 * 320 * row)]));
  }
  for (int i = 0; i < 320; ++i) {
    x[static_cast<size_t>(i)] += i % 64 < 40 ? 100 : 53 * i % 2000 - 600;
    y[static_cast<size_t>(i)] = 256 * 120 + 31 * (i / 40);
  }
  doubled.Sample(x.data(), y.data(), 320, run.data());
  for (size_t i = 0; i < 320; ++i) doubled.SampleOne(x[i], y[i], &single[4 * i]);
  EXPECT_EQ(run, single);
}

}  // namespace
}  // namespace talkface::auwarp
