// SPDX-License-Identifier: MIT
// One run of auwarp's speech part: what is made of the net's answers, and its memory.
#include "models/families/auwarp/speech/speech_run.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/units/support/expect_error.h"
#include "tests/units/support/speech_fixture.h"

namespace talkface::auwarp {
namespace {

constexpr uint64_t kMs = 1'000'000;

class SpeechRunTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  std::shared_ptr<const SpeechNet> net_ = RandomNet(folder_);
  const std::vector<float> speech_ = Babble(2.0);
};

TEST_F(SpeechRunTest, AnHourOfSilenceIsCheapAndLeavesNothingBehind) {
  SpeechRun run(net_);
  size_t most = 0;
  for (uint64_t second = 0; second < 3600; ++second) {
    run.Push(nullptr, speech::kSpeechRateHz);
    run.Forget(second * 1000 * kMs);
    most = std::max(most, run.kept());
  }
  EXPECT_LE(most, 60u);
  EXPECT_TRUE(run.Has(3'599'800 * kMs, kDelays - 1));
  Pose rest{};
  rest[kSpeechPlace] = 1;
  EXPECT_EQ(run.At(3'599'800 * kMs, kDelays - 1), rest);
}

TEST_F(SpeechRunTest, TimesBetweenStepsAreInterpolated) {
  SpeechRun run(net_);
  run.Push(speech_.data(), speech_.size());
  const int delay = 2;
  // Steps lie at multiples of 20 ms, less the tracker's lag.
  const Pose a = run.At(690 * kMs, delay), b = run.At(710 * kMs, delay);
  const Pose middle = run.At(700 * kMs, delay);
  EXPECT_NE(a[1], b[1]);
  EXPECT_NEAR(middle[1], (a[1] + b[1]) / 2, 1e-6);
}

TEST_F(SpeechRunTest, TwoAnswersAboutOneMomentAreMixed) {
  // Motion that depends on nothing but the delay: what is heard and said before does not count.
  Tensors tensors = RandomWeights(1, 24, 32);
  for (float& weight : tensors["head.weight"].second) weight = 0;
  auto& bias = tensors["head.bias"].second;
  for (size_t i = 0; i < bias.size(); ++i) bias[i] = static_cast<float>(i / kOutputs);
  for (float& weight : tensors["phones.weight"].second) weight = 0;
  for (float& value : tensors["phones.bias"].second) value = 0;
  const std::string path = folder_.path() + "/delays.safetensors";
  WriteWeights(path, tensors);
  SpeechRun run(SpeechNet::Load(SafeTensors::Open(path)));
  run.Push(speech_.data(), speech_.size());
  const auto answer = [&](int delay) { return run.At(1000 * kMs, delay)[2]; };
  EXPECT_EQ(answer(0), 0.0f);  // has none before it
  EXPECT_NEAR(answer(2) / answer(1), 1.6 / 0.6, 1e-4);
  EXPECT_NEAR(answer(3) / answer(1), 2.6 / 0.6, 1e-4);
}

TEST_F(SpeechRunTest, DamagedWeightsAreNamed) {
  const std::string path = folder_.path() + "/broken.safetensors";
  Tensors tensors = RandomWeights(2, 24, 32);
  tensors["conv1.weight"].first = {2, 24, 12, 6};
  WriteWeights(path, tensors);
  EXPECT_ERROR(SpeechNet::Load(SafeTensors::Open(path)), Code::kBadPack, "broken.safetensors",
               "conv1.weight");
  tensors = RandomWeights(2, 24, 32);
  tensors.erase("gru.bias_hh");
  WriteWeights(path, tensors);
  EXPECT_ERROR(SpeechNet::Load(SafeTensors::Open(path)), Code::kBadPack, "gru.bias_hh");
}

// A net that hears nothing but sounds of one kind.
std::shared_ptr<const SpeechNet> NetOfOneKind(const TemporaryFolder& folder, int kind) {
  Tensors tensors = RandomWeights(2, 24, 32);
  auto& [shape, bias] = tensors["phones.bias"];
  for (size_t i = 0; i < bias.size(); ++i)
    bias[i] = static_cast<int>(i) % kPhones == kind ? 100.0f : 0.0f;
  auto& [head_shape, head_bias] = tensors["head.bias"];
  for (size_t i = 0; i < head_bias.size(); i += kOutputs) head_bias[i] = 5.0f;  // a wide mouth
  const std::string path = folder.path() + "/kind.safetensors";
  WriteWeights(path, tensors);
  return SpeechNet::Load(SafeTensors::Open(path));
}

TEST_F(SpeechRunTest, LipsDoWhatTheKindOfSoundAsks) {
  SpeechRun closed(NetOfOneKind(folder_, kBilabial)), rounded(NetOfOneKind(folder_, kRounded)),
      open(NetOfOneKind(folder_, kPhones - 1));
  closed.Push(speech_.data(), speech_.size());
  rounded.Push(speech_.data(), speech_.size());
  open.Push(speech_.data(), speech_.size());
  double open_most = 0;
  for (uint64_t t = 300; t < 1700; t += 20) {
    const Pose shut = closed.At(t * kMs, kDelays - 1), wide = open.At(t * kMs, kDelays - 1),
               round = rounded.At(t * kMs, kDelays - 1);
    EXPECT_LE(shut[0], 0.0f) << t;
    EXPECT_GE(shut[0], -0.004f) << t;
    EXPECT_EQ(shut[kShapeOutputs + kAu25], 0.0f) << t;
    EXPECT_EQ(shut[1], wide[1]) << t;  // nothing but the lips' gap is changed
    EXPECT_LE(round[0], wide[0]) << t;
    EXPECT_LT(round[1], wide[1] - 0.02f) << t;
    open_most = std::max<double>(open_most, wide[0]);
  }
  EXPECT_GT(open_most, 0.01);
}

}  // namespace
}  // namespace talkface::auwarp
