// SPDX-License-Identifier: MIT
// Mouth measures and the clips that carry them to the trainer.
#include "models/training/clips/prepared_clip.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/units/support/expect_error.h"
#include "tests/units/support/speech_fixture.h"

namespace talkface::auwarp {
namespace {

constexpr int kPoints = 468;
using Face = std::array<std::array<float, 3>, kPoints>;

// Half of a face's upper part; the other half is its mirror image.
struct Place {
  int left, right;
  double x, y, z;
};
constexpr Place kUpperFace[] = {
    {10, 10, 0, -.21, -.06},      {151, 151, 0, -.12, -.08},   {9, 9, 0, -.02, -.11},
    {8, 8, 0, .03, -.10},         {168, 168, 0, .08, -.10},    {6, 6, 0, .12, -.13},
    {197, 197, 0, .16, -.16},     {195, 195, 0, .20, -.20},    {5, 5, 0, .24, -.23},
    {33, 263, -.26, .11, .02},    {133, 362, -.10, .12, -.01}, {127, 356, -.40, .17, .30},
    {21, 251, -.37, -.01, .18},   {103, 332, -.29, -.15, .05}, {67, 297, -.20, -.19, -.01},
    {109, 338, -.11, -.21, -.05}, {54, 284, -.34, -.08, .12}};

// A face with a mouth that is `opening` open and `width` wide, 300 px high, turned by
// `yaw` and `roll` radians and moved.
Face MakeFace(double opening, double width, double yaw, double roll) {
  std::array<std::array<double, 3>, kPoints> straight{};
  for (const Place& place : kUpperFace) {
    straight[place.left] = {place.x, place.y, place.z};
    straight[place.right] = {-place.x, place.y, place.z};
  }
  for (int lip : {37, 0, 267, 13}) straight[lip] = {0, 0.45, -0.1};
  straight[14] = {0, 0.45 + opening, -0.1};
  straight[61] = {-width / 2, 0.46, 0};
  straight[291] = {width / 2, 0.46, 0};
  straight[152] = {0, 0.79 + opening, 0};
  Face face;
  for (int i = 0; i < kPoints; ++i) {
    const auto& [x, y, z] = straight[i];
    const double x1 = std::cos(yaw) * x + std::sin(yaw) * z;
    const double z1 = std::cos(yaw) * z - std::sin(yaw) * x;
    const double x2 = std::cos(roll) * x1 - std::sin(roll) * y;
    const double y2 = std::cos(roll) * y + std::sin(roll) * x1;
    face[i] = {static_cast<float>(300 * x2 + 400), static_cast<float>(300 * y2 + 250),
               static_cast<float>(300 * z1)};
  }
  return face;
}

MouthMeasure Measure(const Face& face) {
  return MeasureMouth(reinterpret_cast<const float(*)[3]>(face.data()));
}

TEST(MouthMeasure, ForgetsTurnScaleAndPlace) {
  const MouthMeasure straight = Measure(MakeFace(0.05, 0.3, 0, 0));
  for (const auto& [yaw, roll] : {std::pair{0.3, 0.0}, {-0.4, 0.2}, {0.1, -0.6}}) {
    const MouthMeasure turned = Measure(MakeFace(0.05, 0.3, yaw, roll));
    for (int i = 0; i < kShapes; ++i) EXPECT_NEAR(turned.shape[i], straight.shape[i], 1e-3);
    for (int i = 0; i < kUnits; ++i) EXPECT_NEAR(turned.units[i], straight.units[i], 1e-3);
  }
}

TEST(MouthMeasure, FollowsOpeningAndWidth) {
  const MouthMeasure shut = Measure(MakeFace(0.0, 0.3, 0, 0));
  const MouthMeasure open = Measure(MakeFace(0.06, 0.24, 0, 0));
  EXPECT_NEAR(shut.shape[0], 0, 1e-6);
  EXPECT_NEAR(open.shape[0], 0.06, 0.003);
  EXPECT_NEAR(shut.shape[1] - open.shape[1], 0.06, 0.003);
  EXPECT_NEAR(open.shape[3] - shut.shape[3], 0.06, 0.003);
  EXPECT_NEAR(open.units[2] - shut.units[2], 0.06, 0.003);
}

TEST(MouthMeasure, NoFaceIsNotANumber) {
  Face face = MakeFace(0, 0.3, 0, 0);
  for (auto& point : face) point.fill(std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(std::isnan(Measure(face).shape[0]));
}

std::vector<MouthMeasure> Speaker(float size) {
  std::vector<MouthMeasure> frames(200);
  for (size_t i = 0; i < frames.size(); ++i) {
    const float x = size * static_cast<float>(std::pow(std::sin(0.1 * static_cast<double>(i)), 2));
    frames[i].shape = {0.02f + x, 0.3f - x, 0.1f + 0.2f * x, 0.8f + x};
    frames[i].units = {0.1f + 0.2f * x, -0.3f - 0.5f * x, -0.3f + x, 0.3f - x, 0.02f + x, 0.8f + x};
  }
  return frames;
}

TEST(SpeakerNorm, QuietAndLivelySpeakersMoveAlike) {
  const auto quiet = Speaker(0.03f), lively = Speaker(0.06f);
  const SpeakerNorm quiet_norm = MeasureSpeaker(quiet), lively_norm = MeasureSpeaker(lively);
  for (size_t i = 0; i < quiet.size(); i += 10) {
    const Expression a = MakeExpression(quiet[i], quiet_norm);
    const Expression b = MakeExpression(lively[i], lively_norm);
    EXPECT_NEAR(a.opening, b.opening, 1e-3);
    EXPECT_NEAR(a.width, b.width, 1e-3);
    EXPECT_NEAR(a.units[kAu26], b.units[kAu26], 0.05);
  }
  const Expression rest = MakeExpression(quiet[0], quiet_norm);
  EXPECT_NEAR(rest.opening, 0, 1e-3);
  EXPECT_NEAR(rest.units[kAu25], 0, 0.05);
}

TEST(SpeakerNorm, TooFewFramesAreRefused) {
  EXPECT_THROW(MeasureSpeaker(std::vector<MouthMeasure>(9)), Error);
}

PreparedClip MakeClip() {
  PreparedClip clip;
  clip.speaker = "someone";
  clip.clip = "first";
  clip.source = "first.mp4";
  clip.tool = "test";
  clip.fps = 25;
  const std::vector<float> sound = Babble(3.0);
  for (float sample : sound) clip.audio.push_back(static_cast<int16_t>(sample * 20000));
  for (int f = 0; f < 75; ++f) {
    clip.times.push_back(f * 0.04);
    const double loud = Syllables(f * 0.04 + 0.02);
    const Face face = MakeFace(0.05 * loud, 0.3, 0, 0);
    for (const auto& point : face)
      clip.landmarks.insert(clip.landmarks.end(), point.begin(), point.end());
  }
  return clip;
}

TEST(PreparedClip, ComesBackFromDisk) {
  TemporaryFolder folder;
  PreparedClip clip = MakeClip();
  CompletePreparedClip(&clip);
  const std::string path = PreparedClipPath(folder.path(), clip);
  EXPECT_EQ(path, folder.path() + "/someone_first.safetensors");
  WritePreparedClip(path, clip);
  const PreparedClip read = ReadPreparedClip(path);
  EXPECT_EQ(read.speaker, clip.speaker);
  EXPECT_EQ(read.fps, clip.fps);
  EXPECT_EQ(read.audio, clip.audio);
  EXPECT_EQ(read.times, clip.times);
  EXPECT_EQ(read.landmarks, clip.landmarks);
  EXPECT_EQ(read.mel, clip.mel);
  EXPECT_EQ(read.mel.size(), 300u * speech::kMelBands);
  ASSERT_EQ(read.measures.size(), 75u);
  EXPECT_EQ(read.measures[10].shape, clip.measures[10].shape);
  EXPECT_EQ(read.measures[10].units, clip.measures[10].units);
}

TEST(PreparedClip, OffsetIsMeasured) {
  PreparedClip clip = MakeClip();
  CompletePreparedClip(&clip);
  EXPECT_NEAR(clip.offset_ms, 0, 20);
  for (double& time : clip.times) time += 0.08;
  CompletePreparedClip(&clip);
  EXPECT_NEAR(clip.offset_ms, 80, 20);
}

TEST(PreparedClip, WrongSizesAreNamed) {
  TemporaryFolder folder;
  PreparedClip clip = MakeClip();
  clip.landmarks.pop_back();
  EXPECT_THROW(CompletePreparedClip(&clip), Error);
  const std::string path = folder.path() + "/clip.safetensors";
  WriteWeights(path, {{"audio", {{3}, {0, 0, 0}}}});
  EXPECT_ERROR(ReadPreparedClip(path), Code::kInvalid, path, "metadata speaker");
}

}  // namespace
}  // namespace talkface::auwarp
