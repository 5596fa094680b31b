// SPDX-License-Identifier: MIT
// The paper's model as a family: streams, portraits, frames, with a small random model.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <random>

#include "models/families/mftfg/face/face_inputs.h"
#include "models/families/mftfg/face/landmarks_68.h"
#include "models/families/mftfg/generator.h"
#include "tests/units/support/drawn_face.h"
#include "tests/units/support/expect_error.h"
#include "tests/units/support/mftfg_pack.h"

namespace talkface::mftfg {
namespace {

using torch::Tensor;

constexpr uint64_t kMs = 1'000'000;
constexpr int kSide = 96;  // px of a frame

std::vector<float> Noise(size_t samples) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0, 0.1f);
  std::vector<float> speech(samples);
  for (float& sample : speech) sample = normal(random);
  return speech;
}

class FamilyTest : public ::testing::TestWithParam<Wiring> {
 protected:
  FamilyTest() : config_(SmallConfig(GetParam())), model_(RandomModel(config_)) {
    model_->PrepareInference(torch::kCPU, torch::kFloat32);
    identity_ = Enrolled(0);
  }

  std::shared_ptr<const EnrolledIdentity> Enrolled(float shift) {
    const testing::DrawnFace face{kSide, kSide, 48 + shift, 56, 50};
    const std::vector<uint8_t> rgba = face.Draw();
    return EnrolIdentity(model_, MeanShape(), testing::PixelsOf(face, rgba), face.Info());
  }

  static SceneSettings Still() {
    SceneSettings options;
    options.target = {kSide, kSide, PixelFormat::kRGBA, ColorMatrix::kBt709, ChromaSite::kCentered,
                      true};
    options.idle_motion = false;
    return options;
  }

  std::unique_ptr<FaceScene> MakeScene(const SceneSettings& options = Still()) {
    return std::make_unique<FaceScene>(identity_, options, config_);
  }

  std::unique_ptr<SpeechModel> Stream() { return OpenSpeechStream(model_, torch::kCPU); }

  static std::shared_ptr<const SpeechControls> Take(SpeechModel& stream, uint64_t time_ns) {
    return std::static_pointer_cast<const SpeechControls>(stream.Take(time_ns));
  }

  // Controls of frames 0 .. count - 1, after all speech was pushed in pieces and drained.
  std::vector<std::shared_ptr<const SpeechControls>> Controls(const std::vector<float>& speech,
                                                              size_t step, uint64_t count) {
    const auto stream = Stream();
    std::vector<std::shared_ptr<const SpeechControls>> frames;
    const auto take = [&] {
      while (frames.size() < count && stream->Ready(frames.size() * kFrameStepNs))
        frames.push_back(Take(*stream, frames.size() * kFrameStepNs));
    };
    for (size_t i = 0; i < speech.size(); i += step) {
      stream->Push(&speech[i], std::min(step, speech.size() - i));
      take();
    }
    stream->Drain();
    take();
    return frames;
  }

  Tensor Generate(const std::vector<FaceRequest>& requests) {
    return GenerateFaces(model_, requests, [] { return false; });
  }

  static std::vector<uint8_t> Drawn(const FaceScene& scene, const Generated& face,
                                    uint64_t time_ns = 0) {
    std::vector<uint8_t> frame(4 * kSide * kSide);
    FrameTarget target;
    target.planes[0] = frame.data();
    target.strides[0] = 4 * kSide;
    scene.Draw(face, time_ns, target);
    return frame;
  }

  const torch::NoGradGuard no_gradients_;
  Config config_;
  Model model_;
  std::shared_ptr<const EnrolledIdentity> identity_;
};

// A clip of exactly one window, with the whole window as look-ahead: what the model computes for
// the clip at once, to the bit.
TEST_P(FamilyTest, AClipInOneWindowIsTheModelsBatch) {
  constexpr uint64_t kFrames = 10;
  const std::vector<float> speech = Noise(kFrames * 640 - 100);
  std::vector<speech::MfccColumn> columns;
  speech::MfccStream().Push(speech.data(), speech.size(), &columns);
  std::vector<float> windows;
  for (uint64_t n = 0; n < kFrames; ++n) {
    const std::vector<float> window =
        speech::MfccWindow(columns, 0, speech::FirstColumnAt(n * kFrameStepNs));
    windows.insert(windows.end(), window.begin(), window.end());
  }
  const auto scene = MakeScene();
  SpeechWindow batch;
  batch.mfcc = torch::tensor(windows).view({kFrames, 12, 25});
  const testing::DrawnFace face{kSide, kSide, 48, 56, 50};
  const imaging::Landmarks found = LandmarksOfMesh(face.Info());
  const imaging::Landmarks crop =
      imaging::CropLandmarks(found, imaging::AlignFace(found, MeanShape()));
  const std::vector<float> rows =
      config_.official() ? EncoderLandmarks(crop, 16) : NormalisedLandmarks(crop);
  batch.landmarks = torch::tensor(rows).view({1, 39, 2});
  SampleOptions options;
  options.steps = 2;
  options.noise = SeededNoise(0, std::vector<uint64_t>(kFrames, 0), {3, 8, 8});
  const Tensor latents =
      model_->Sample(model_->Context(batch, identity_->latents), identity_->latents, options);
  const Tensor wanted = model_->Decode(latents);

  const auto frames = Controls(speech, 500, kFrames);
  ASSERT_EQ(frames.size(), kFrames);
  for (size_t n = 0; n < kFrames; ++n) {
    const Tensor got = Generate({{scene.get(), frames[n]->heard.get()}});
    EXPECT_TRUE(torch::equal(got[0], wanted[static_cast<int64_t>(n)])) << n;
  }
  EXPECT_FALSE(torch::equal(ToBytes(wanted)[0], ToBytes(wanted)[5]));  // the speech is seen
}

TEST_P(FamilyTest, EveryCutGivesTheSameFeatures) {
  const std::vector<float> speech = Noise(16000);
  const auto whole = Controls(speech, speech.size(), 25);
  for (const size_t step : {37, 640, 4096}) {
    const auto cut = Controls(speech, step, 25);
    ASSERT_EQ(cut.size(), whole.size());
    for (size_t n = 0; n < cut.size(); ++n) {
      EXPECT_TRUE(torch::equal(cut[n]->heard->audio, whole[n]->heard->audio)) << n;
      EXPECT_TRUE(torch::equal(cut[n]->heard->units, whole[n]->heard->units)) << n;
      EXPECT_EQ(cut[n]->heard->place, whole[n]->heard->place);
      EXPECT_EQ(cut[n]->units, whole[n]->units);
    }
  }
}

TEST_P(FamilyTest, LookAheadIsTrue) {
  const std::vector<float> speech = Noise(32000);
  for (const uint64_t asked_ms : {0, 140, 179, 180, 300, 500, 9999}) {
    const auto stream = Stream();
    stream->SetLookAhead(asked_ms * kMs);
    const uint64_t look_ahead = stream->LookAhead();
    EXPECT_GE(look_ahead, 140 * kMs);
    EXPECT_LE(look_ahead, std::clamp<uint64_t>(asked_ms, 140, 500) * kMs);
    const uint64_t time_ns = 7 * kFrameStepNs;
    const size_t samples = (time_ns + look_ahead) * 16 / kMs;
    stream->Push(speech.data(), samples - 240);
    EXPECT_FALSE(stream->Ready(time_ns));
    stream->Push(speech.data(), 240);
    EXPECT_TRUE(stream->Ready(time_ns));
    EXPECT_FALSE(Take(*stream, time_ns)->idle);
  }
}

// To the bit at this size; rounding may differ at others.
TEST_P(FamilyTest, AFaceDoesNotDependOnItsBatch) {
  const auto other = std::make_shared<FaceScene>(Enrolled(4), Still(), config_);
  const auto scene = MakeScene();
  const auto frames = Controls(Noise(16000), 16000, 25);
  std::vector<FaceRequest> requests;
  for (size_t n = 0; n < 7; ++n)
    requests.push_back({n % 3 == 0 ? other.get() : scene.get(), frames[3 * n]->heard.get()});
  const Tensor together = Generate(requests);
  for (size_t n = 0; n < requests.size(); ++n) {
    EXPECT_TRUE(torch::equal(Generate({requests[n]})[0], together[static_cast<int64_t>(n)])) << n;
  }
}

TEST_P(FamilyTest, TheSeedIsTheNoise) {
  const auto frames = Controls(Noise(8000), 8000, 5);
  SceneSettings options = Still();
  const auto a = MakeScene(options), b = MakeScene(options);
  options.seed = 1;
  const auto c = MakeScene(options);
  const HeardWindow* heard = frames[2]->heard.get();
  const Tensor picture = Generate({{a.get(), heard}});
  EXPECT_TRUE(torch::equal(Generate({{b.get(), heard}}), picture));
  EXPECT_FALSE(torch::equal(ToBytes(Generate({{c.get(), heard}})), ToBytes(picture)));
}

TEST_P(FamilyTest, StepsAreThePacksOrTheScenes) {
  EXPECT_EQ(MakeScene()->steps(), 2);
  SceneSettings options = Still();
  options.family_options.Set("sampler-steps", 7);
  EXPECT_EQ(MakeScene(options)->steps(), 7);
  options.family_options.Set("sampler-steps", 51);
  EXPECT_ERROR(MakeScene(options), Code::kInvalid, "'sampler-steps' is '51'", "1 to 50");
}

TEST_P(FamilyTest, WhenNobodyWantsTheFrameTheSamplerStops) {
  const auto frames = Controls(Noise(8000), 8000, 1);
  SceneSettings options = Still();
  options.family_options.Set("sampler-steps", 50);
  const auto scene = MakeScene(options);
  int asked = 0;
  EXPECT_ERROR(
      GenerateFaces(model_, {{scene.get(), frames[0]->heard.get()}}, [&] { return ++asked == 3; }),
      Code::kCancelled, "Nobody");
  EXPECT_EQ(asked, 3);
}

TEST_P(FamilyTest, StarvedSpeechFadesToThePortraitAndBack) {
  const std::vector<float> speech = Noise(32000);
  const auto stream = Stream();
  stream->SetLookAhead(140 * kMs);
  EXPECT_EQ(Take(*stream, 0)->heard, nullptr);  // nothing yet: idle at once
  stream->Push(speech.data(), 6400);            // 400 ms
  uint64_t n = 1;
  for (float wanted : {0.2f, 0.4f, 0.6f, 0.8f, 1.0f, 1.0f}) {
    const auto controls = Take(*stream, n++ * kFrameStepNs);
    EXPECT_FALSE(controls->idle);
    EXPECT_NEAR(controls->shown, wanted, 1e-5);
  }
  for (float wanted : {0.8f, 0.6f, 0.4f, 0.2f}) {  // no more speech
    const auto controls = Take(*stream, n++ * kFrameStepNs);
    EXPECT_TRUE(controls->idle);
    EXPECT_NE(controls->heard, nullptr);
    EXPECT_NEAR(controls->shown, wanted, 1e-5);
  }
  Take(*stream, n++ * kFrameStepNs);
  for (int i = 0; i < 3; ++i) {
    const auto controls = Take(*stream, n++ * kFrameStepNs);
    EXPECT_LT(controls->shown, 1e-5);
    EXPECT_EQ(controls->heard, nullptr);
  }
  stream->Push(speech.data(), 16000);
  EXPECT_FALSE(Take(*stream, n++ * kFrameStepNs)->idle);
}

TEST_P(FamilyTest, InterruptForgetsAndResetIsNew) {
  const std::vector<float> speech = Noise(16000);
  const auto stream = Stream();
  stream->SetLookAhead(140 * kMs);
  stream->Push(speech.data(), speech.size());
  const auto first = Take(*stream, 0);
  stream->Interrupt(kFrameStepNs, 80 * kMs);
  EXPECT_FALSE(stream->Ready(kFrameStepNs));
  EXPECT_NEAR(Take(*stream, 1 * kFrameStepNs)->shown, 0.5, 1e-5);
  EXPECT_EQ(Take(*stream, 2 * kFrameStepNs)->heard, nullptr);
  stream->Push(speech.data(), speech.size());  // goes on at 40 ms
  const auto again = Take(*stream, 3 * kFrameStepNs);
  EXPECT_EQ(again->heard->place, 2);
  stream->Drain();
  EXPECT_FALSE(Take(*stream, 25 * kFrameStepNs)->idle);
  EXPECT_TRUE(Take(*stream, 26 * kFrameStepNs)->idle);
  stream->Reset();
  stream->Push(speech.data(), speech.size());
  EXPECT_TRUE(torch::equal(Take(*stream, 0)->heard->audio, first->heard->audio));
}

TEST_P(FamilyTest, TheFaceIsPastedWhereItBelongs) {
  const auto scene = MakeScene();
  const std::vector<uint8_t> still = Drawn(*scene, {});
  const Tensor grey = torch::full({1, 3, 16, 16}, 0.5);
  const std::vector<uint8_t> shown = Drawn(*scene, {grey, 1});
  const std::vector<uint8_t> hidden = Drawn(*scene, {grey, 0});
  EXPECT_EQ(hidden, still);
  EXPECT_NE(shown, still);
  double low[2] = {1e9, 1e9}, high[2] = {-1e9, -1e9};
  for (const imaging::Point& p : identity_->outline) {
    low[0] = std::min(low[0], p.x), high[0] = std::max(high[0], p.x);
    low[1] = std::min(low[1], p.y), high[1] = std::max(high[1], p.y);
  }
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      if (x > low[0] - 6 && x < high[0] + 6 && y > low[1] - 6 && y < high[1] + 6) continue;
      const size_t at = 4 * static_cast<size_t>(y * kSide + x);
      ASSERT_TRUE(std::equal(&still[at], &still[at] + 4, &shown[at])) << x << " " << y;
    }
  }
  // The mouth's middle is the generated grey, moved by what the seam says: of one colour there.
  const size_t mouth = 4 * static_cast<size_t>(56 * kSide + 48);
  EXPECT_NE(shown[mouth], still[mouth]);
}

TEST_P(FamilyTest, ThePortraitItselfPastedIsThePortrait) {
  // What differs is what a picture of 16 pixels cannot hold.
  const auto scene = MakeScene();
  const std::vector<uint8_t> still = Drawn(*scene, {});
  const std::vector<uint8_t> pasted = Drawn(*scene, {identity_->seam.reference, 1});
  double sum = 0;
  for (size_t i = 0; i < still.size(); ++i) sum += std::abs(still[i] - pasted[i]);
  EXPECT_LT(sum / static_cast<double>(still.size()), 2.0);
}

TEST_P(FamilyTest, ColoursMeetAtTheSeam) {
  const Tensor tinted =
      identity_->seam.reference + torch::tensor({0.1f, -0.2f, 0.05f}).view({1, 3, 1, 1});
  EXPECT_LT((nets::MatchSeams(tinted, {&identity_->seam}) - identity_->seam.reference)
                .abs()
                .max()
                .item<double>(),
            1e-3);
}

TEST_P(FamilyTest, IdleMotionMovesTheFace) {
  SceneSettings options = Still();
  options.idle_motion = true;
  const auto scene = MakeScene(options);
  const Tensor face = torch::rand({1, 3, 16, 16});
  const auto at = [&](uint64_t ms) { return Drawn(*scene, {face, 1}, ms * kMs); };
  EXPECT_NE(at(1000), at(3000));
  EXPECT_EQ(at(1000), at(1000));
}

INSTANTIATE_TEST_SUITE_P(Wirings, FamilyTest,
                         ::testing::Values(Wiring::kOfficial, Wiring::kCorrected),
                         [](const auto& wiring) {
                           return wiring.param == Wiring::kOfficial ? "Official" : "Corrected";
                         });

}  // namespace
}  // namespace talkface::mftfg
