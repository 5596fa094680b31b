// SPDX-License-Identifier: MIT
// The 68 landmarks out of the mesh, and the windows of speech: what the family does without
// libtorch.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "models/families/mftfg/config.h"
#include "models/families/mftfg/face/face_inputs.h"
#include "models/families/mftfg/face/landmarks_68.h"
#include "models/families/mftfg/speech/speech_run.h"
#include "tests/units/support/drawn_face.h"

namespace talkface::mftfg {
namespace {

constexpr uint64_t kMs = 1'000'000;

// ---- landmarks

// Rows of iBUG's scheme whose mirrored ones are the same run backwards, up to `mirrored_last`.
struct MirroredRun {
  size_t first, last, mirrored_last;
};
constexpr MirroredRun kMirroredRuns[] = {
    {0, 16, 16},  {17, 26, 26}, {27, 27, 27}, {28, 28, 28}, {29, 29, 29},
    {30, 30, 30}, {31, 35, 35}, {36, 39, 45}, {40, 41, 47}, {42, 45, 39},
    {46, 47, 41}, {48, 54, 54}, {55, 59, 59}, {60, 64, 64}, {65, 67, 67},
};

size_t MirroredRow(size_t row) {
  for (const MirroredRun& run : kMirroredRuns)
    if (row <= run.last) return run.mirrored_last - (row - run.first);
  return row;
}

imaging::Landmarks DrawnLandmarks() {
  return LandmarksOfMesh(testing::DrawnFace{600, 800, 300, 500, 400}.Info());
}

TEST(MftfgLandmarks, AFrontalFaceIsMirrored) {
  const imaging::Landmarks face = DrawnLandmarks();
  ASSERT_EQ(face.size(), imaging::kLandmarkScheme);
  for (size_t row = 0; row < face.size(); ++row) {
    const imaging::Point mirrored = face[MirroredRow(row)];
    EXPECT_NEAR(face[row].x - 299.5, 299.5 - mirrored.x, 0.01 * 400) << row;
    EXPECT_NEAR(face[row].y, mirrored.y, 0.01 * 400) << row;
  }
}

TEST(MftfgLandmarks, RowsRunAsInTheScheme) {
  const imaging::Landmarks face = DrawnLandmarks();
  const auto rises = [&face](size_t first, size_t last, double imaging::Point::*axis) {
    for (size_t row = first; row < last; ++row)
      EXPECT_LT(face[row].*axis, face[row + 1].*axis) << row;
  };
  rises(0, 16, &imaging::Point::x);   // jaw
  rises(17, 26, &imaging::Point::x);  // brows
  rises(27, 30, &imaging::Point::y);  // bridge of the nose
  rises(31, 35, &imaging::Point::x);  // nostrils
  rises(36, 39, &imaging::Point::x);  // upper edges of the eyes
  rises(42, 45, &imaging::Point::x);
  rises(48, 54, &imaging::Point::x);  // upper lip
  rises(60, 64, &imaging::Point::x);
  for (const auto& [over, under] : {std::pair{37, 41},
                                    {38, 40},
                                    {43, 47},
                                    {44, 46},
                                    {51, 62},
                                    {66, 57},
                                    {33, 51},
                                    {57, 8},
                                    {19, 37},
                                    {24, 44}})
    EXPECT_LT(face[over].y, face[under].y) << over;
  double shortest = 1e9, longest = 0;
  for (size_t row = 0; row < 16; ++row) {
    const double step = std::hypot(face[row + 1].x - face[row].x, face[row + 1].y - face[row].y);
    shortest = std::min(shortest, step);
    longest = std::max(longest, step);
  }
  EXPECT_LT(longest, 1.7 * shortest);
}

TEST(MftfgLandmarks, AFaceLiesInItsCropAsTheMeanShapeDoes) {
  const imaging::Landmarks& shape = MeanShape();
  ASSERT_EQ(shape.size(), imaging::kLandmarkScheme);
  const imaging::Landmarks face = DrawnLandmarks();
  const imaging::Affine to_crop = imaging::AlignFace(face, shape);
  for (size_t row = 28; row < 49; ++row) {
    const double x = to_crop[0] * face[row].x + to_crop[1] * face[row].y + to_crop[2];
    const double y = to_crop[3] * face[row].x + to_crop[4] * face[row].y + to_crop[5];
    EXPECT_LT(std::hypot(x - shape[row].x, y - shape[row].y), 8) << row;  // of 224 px
  }
}

TEST(MftfgLandmarks, ThePolygonHoldsTheMouthAndNotTheEyes) {
  const imaging::Landmarks face = DrawnLandmarks();
  const imaging::ByteImage mask =
      MouthPolygon(imaging::CropLandmarks(face, imaging::AlignFace(face, MeanShape())));
  const imaging::Landmarks crop =
      imaging::CropLandmarks(face, imaging::AlignFace(face, MeanShape()));
  const auto at = [&](size_t row) {
    return mask.Row(static_cast<int>(crop[row].y))[static_cast<int>(crop[row].x)];
  };
  for (size_t row = 48; row < 68; ++row) EXPECT_EQ(at(row), 0) << row;
  for (size_t row = 36; row < 48; ++row) EXPECT_EQ(at(row), 1) << row;
}

// ---- windows of speech

std::vector<float> Speech(size_t samples, unsigned seed = 3) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.1f);
  std::vector<float> speech(samples);
  for (float& sample : speech) sample = normal(random);
  return speech;
}

SpeechRun RunOf(const std::vector<float>& speech, size_t step) {
  SpeechRun run;
  for (size_t i = 0; i < speech.size(); i += step)
    run.Push(&speech[i], std::min(step, speech.size() - i));
  return run;
}

TEST(MftfgSpeechRun, HasAFrameAsSoonAsItsWindowIsHeard) {
  const std::vector<float> speech = Speech(16000);
  for (const uint64_t time_ms : {0, 33, 40, 121}) {
    for (const int64_t ahead : {0, 2, 5}) {
      const uint64_t need_ns =
          time_ms * kMs + kHearingNs + static_cast<uint64_t>(ahead) * kFrameStepNs;
      const size_t need = need_ns * 16 / kMs;
      SpeechRun run;
      run.Push(speech.data(), need - 240);
      EXPECT_FALSE(run.Has(time_ms * kMs, ahead));
      run.Push(speech.data(), 240);
      EXPECT_TRUE(run.Has(time_ms * kMs, ahead)) << time_ms << " " << ahead;
    }
  }
}

TEST(MftfgSpeechRun, EveryCutGivesTheSameWindows) {
  const std::vector<float> speech = Speech(20000);
  const SpeechRun whole = RunOf(speech, speech.size());
  for (const size_t step : {1, 160, 441, 4096}) {
    const SpeechRun run = RunOf(speech, step);
    for (const uint64_t time_ms : {0, 40, 505, 800}) {
      const FrameWindow wanted = whole.WindowAt(time_ms * kMs, {10, 4});
      const FrameWindow got = run.WindowAt(time_ms * kMs, {10, 4});
      EXPECT_EQ(got.mfcc, wanted.mfcc);
      EXPECT_EQ(got.valid, wanted.valid);
      EXPECT_EQ(got.place, wanted.place);
    }
  }
}

// A live stream that is starved for long draws idle frames, and then hears what comes.
TEST(MftfgSpeechRun, ForgetsNoMoreThanItHas) {
  const std::vector<float> speech = Speech(16000);
  const WindowShape shape{10, 1};
  SpeechRun run = RunOf(speech, speech.size());
  for (uint64_t second = 1; second < 60; ++second) {
    EXPECT_FALSE(run.Has(1000 * kMs * second, shape.ahead));
    run.Forget(1000 * kMs * second, shape);
  }
  run.Push(nullptr, 58 * 16000);
  run.Push(speech.data(), speech.size());
  EXPECT_EQ(run.WindowAt(59500 * kMs, shape).mfcc,
            RunOf(speech, speech.size()).WindowAt(500 * kMs, shape).mfcc);
}

// Frame n sits where the look-ahead wants it; windows neither begin before the speech nor end after
// it.
TEST(MftfgSpeechRun, WindowsAreCutToTheSpeech) {
  SpeechRun run = RunOf(Speech(16000), 16000);  // 25 frames
  struct Case {
    uint64_t frame;
    int64_t ahead, valid, place;
  };
  const auto expect = [&run](const Case& wanted) {
    const FrameWindow window = run.WindowAt(wanted.frame * kFrameStepNs, {10, wanted.ahead});
    EXPECT_EQ(window.valid, wanted.valid) << wanted.frame;
    EXPECT_EQ(window.place, wanted.place) << wanted.frame;
    EXPECT_EQ(window.mfcc.size(), 10u * 12 * 25);
    const auto padding = window.mfcc.begin() + wanted.valid * 12 * 25;
    EXPECT_TRUE(std::all_of(padding, window.mfcc.end(), [](float x) { return x == 0; }));
  };
  for (const Case& wanted : {Case{0, 0, 1, 0}, Case{0, 3, 4, 0}, Case{3, 3, 7, 3},
                             Case{9, 0, 10, 9}, Case{12, 9, 10, 0}, Case{12, 4, 10, 5}})
    expect(wanted);
  run.Finish();
  EXPECT_TRUE(run.Has(24 * kFrameStepNs, 9));
  EXPECT_FALSE(run.Has(25 * kFrameStepNs, 0));
  for (const Case& wanted : {Case{24, 9, 10, 9}, Case{20, 9, 10, 5}, Case{15, 9, 10, 0}})
    expect(wanted);
}

TEST(MftfgSpeechRun, AFrameHearsItsOwnColumns) {
  const std::vector<float> speech = Speech(16000);
  const SpeechRun run = RunOf(speech, 16000);
  std::vector<speech::MfccColumn> columns;
  speech::MfccStream().Push(speech.data(), speech.size(), &columns);
  const FrameWindow window = run.WindowAt(333 * kMs, {4, 2});
  for (int64_t i = 0; i < 4; ++i) {
    const uint64_t time_ns = 333 * kMs + static_cast<uint64_t>(i) * kFrameStepNs - kFrameStepNs;
    const std::vector<float> wanted =
        speech::MfccWindow(columns, 0, speech::FirstColumnAt(time_ns));
    const auto begin = window.mfcc.begin() + i * speech::kMfccRows * speech::kMfccColumns;
    EXPECT_TRUE(std::equal(wanted.begin(), wanted.end(), begin)) << i;
  }
}

TEST(MftfgSpeechRun, ForgetsWhatNoWindowNeeds) {
  const std::vector<float> second = Speech(16000);
  SpeechRun long_run;
  size_t most = 0;
  for (uint64_t s = 0; s < 60; ++s) {
    long_run.Push(second.data(), second.size());
    long_run.Forget(s * 1000 * kMs, {10, 4});
    most = std::max(most, long_run.kept());
  }
  EXPECT_LT(most, 1500u);
  SpeechRun both;
  for (int i = 0; i < 60; ++i) both.Push(second.data(), second.size());
  EXPECT_EQ(long_run.WindowAt(59'000 * kMs, {10, 4}).mfcc,
            both.WindowAt(59'000 * kMs, {10, 4}).mfcc);
}

TEST(MftfgSpeechRun, NoSamplesAreSilence) {
  SpeechRun silence, zeros;
  silence.Push(nullptr, 5000);
  zeros.Push(std::vector<float>(5000).data(), 5000);
  EXPECT_EQ(silence.EndNs(), zeros.EndNs());
  EXPECT_EQ(silence.kept(), zeros.kept());
}

}  // namespace
}  // namespace talkface::mftfg
