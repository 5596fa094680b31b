// SPDX-License-Identifier: MIT
// The trainer: its net is the engine's net, and what it writes is a pack.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "models/core/pack.h"
#include "models/training/clips/prepared_clip.h"
#include "models/training/speech/speech_data.h"
#include "models/training/speech/speech_phones.h"
#include "models/training/speech/speech_reference.h"
#include "tests/units/support/speech_fixture.h"

namespace talkface::training {
namespace {

using auwarp::TemporaryFolder;
using speech::kMelBands;

TEST(SpeechTraining, TheEngineRunsTheSameNet) {
  TemporaryFolder folder;
  const auto net = auwarp::RandomNet(folder);
  constexpr int kSteps = 60;
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> mel(kSteps * 2 * kMelBands);
  for (float& value : mel) value = normal(random);
  const TorchOutput by_torch = RunSpeechByTorch(folder.path() + "/speech.safetensors", mel);
  ASSERT_EQ(by_torch.motion.size(),
            static_cast<size_t>(kSteps * auwarp::kDelays * auwarp::kOutputs));
  ASSERT_EQ(by_torch.phones.size(),
            static_cast<size_t>(kSteps * auwarp::kDelays * auwarp::kPhones));
  auwarp::SpeechNet::State state = net->NewState();
  size_t at = 0, phone_at = 0;
  float most = 0;
  for (int step = 0; step < kSteps; ++step) {
    const auto output = net->Step(mel.data() + step * 2 * kMelBands, &state);
    for (const auto& delayed : output.motion)
      for (float value : delayed) {
        EXPECT_NEAR(value, by_torch.motion[at++], 1e-4) << "step " << step;
        most = std::max(most, std::abs(value));
      }
    for (const auto& delayed : output.phones)
      for (float value : delayed)
        EXPECT_NEAR(value, by_torch.phones[phone_at++], 1e-4) << "step " << step;
  }
  EXPECT_GT(most, 1e-3f);
}

// A second of syllables with a mouth that follows them, for each of two speakers.
void WriteClips(const std::string& folder) {
  for (const char* speaker : {"one", "two"}) {
    auwarp::PreparedClip clip;
    clip.speaker = speaker;
    clip.clip = "only";
    clip.source = clip.tool = "test";
    clip.fps = 25;
    for (float sample : auwarp::Babble(2.0))
      clip.audio.push_back(static_cast<int16_t>(sample * 20000));
    for (int f = 0; f < 50; ++f) {
      clip.times.push_back(f * 0.04);
      std::mt19937 random(2);
      std::uniform_real_distribution<float> place(0, 300);
      for (int i = 0; i < 468 * 3; ++i) clip.landmarks.push_back(place(random));
      clip.landmarks[clip.landmarks.size() - 468 * 3 + 14 * 3 + 1] +=
          20.0f * static_cast<float>(std::abs(std::sin(3.14 * 4 * f * 0.04)));
    }
    auwarp::CompletePreparedClip(&clip);
    auwarp::WritePreparedClip(auwarp::PreparedClipPath(folder, clip), clip);
  }
}

// Half a second of each kind of sound, by a voice without a picture, and phonemes of a clip.
void WritePhones(const std::string& folder, int32_t last) {
  std::vector<int16_t> audio;
  for (float sample : auwarp::Babble(3.0)) audio.push_back(static_cast<int16_t>(sample * 20000));
  for (const auto& [speaker, seconds] : {std::pair{"voice", 3}, {"one", 2}, {"music", 3}}) {
    std::vector<int32_t> phones;
    for (int step = 0; step < seconds * 50; ++step)
      phones.push_back(std::string(speaker) == "music" ? 0 : step / 25 % auwarp::kPhones);
    phones.back() = std::string(speaker) == "voice" ? last : 0;
    const auto samples = static_cast<int64_t>(seconds) * 16000;
    WriteSafeTensors(folder + "/" + speaker + "_only.safetensors",
                     {{"audio", {DType::kI16, {samples}, audio.data()}},
                      {"phones", {DType::kI32, {seconds * 50}, phones.data()}}},
                     {{"speaker", speaker}, {"clip", "only"}});
  }
}

int Train(const std::string& arguments) {
  const std::string command =
      std::string(std::getenv("TALKFACE_TRAIN")) + " " + arguments + " 2>/dev/null";
  const int result = std::system(command.c_str());
  return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
}

std::string Bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(SpeechTraining, WritesAPackThatOpens) {
  TemporaryFolder clips, out;
  WriteClips(clips.path());
  const std::string common = "speech --data " + clips.path() +
                             " --members 2 --iterations 4 --batch 2 --steps 50 "
                             "--channels 8 --hidden 8 --output " +
                             out.path();
  ASSERT_EQ(Train(common + "/a --folds 2"), 0);
  const auto pack = Pack::Open(out.path() + "/a", "");
  EXPECT_EQ(pack->family(), "auwarp");
  EXPECT_EQ(pack->timing().look_ahead_max_ms, 210u);
  const auto net = auwarp::SpeechNet::Load(pack->Tensors("speech"));
  ASSERT_EQ(net->members().size(), 2u);
  EXPECT_EQ(net->members()[1].hidden(), 8);
  EXPECT_NE(Bytes(out.path() + "/a/MODEL_CARD.md").find("| one, only |"), std::string::npos);
  EXPECT_NO_THROW(Pack::Open(out.path() + "/a-folds/fold-2", ""));

  // The same seed gives the same weights, stopped and resumed or not.
  ASSERT_EQ(Train(common + "/b --checkpoint " + out.path() + "/state"), 0);
  EXPECT_EQ(Bytes(out.path() + "/a/speech.safetensors"),
            Bytes(out.path() + "/b/speech.safetensors"));
  ASSERT_EQ(Train(common + "/c --resume --checkpoint " + out.path() + "/state"), 0);
  EXPECT_EQ(Bytes(out.path() + "/a/speech.safetensors"),
            Bytes(out.path() + "/c/speech.safetensors"));
}

TEST(SpeechTraining, PhonemesAreLearntAndScoredWithoutTraining) {
  TemporaryFolder clips, phones, out;
  WriteClips(clips.path());
  WritePhones(phones.path(), 5);
  const std::string common = "speech --data " + clips.path() + " --phones " + phones.path() +
                             " --members 1 --iterations 4 --batch 2 --steps 200 "
                             "--channels 8 --hidden 8 --folds 2 --output " +
                             out.path() + "/a";
  ASSERT_EQ(Train(common), 0);
  const std::string card = Bytes(out.path() + "/a/MODEL_CARD.md");
  EXPECT_NE(card.find(" of 1 p, b and m."), std::string::npos) << card;
  const std::string weights = Bytes(out.path() + "/a/speech.safetensors");
  ASSERT_EQ(Train(common + " --score-only"), 0);
  EXPECT_EQ(Bytes(out.path() + "/a/MODEL_CARD.md"), card);
  EXPECT_EQ(Bytes(out.path() + "/a/speech.safetensors"), weights);

  WritePhones(phones.path(), auwarp::kPhones);  // there is no such kind
  EXPECT_EQ(Train(common), 1);
}

TEST(SpeechTraining, PhonesGoToTheirClips) {
  TemporaryFolder folder, phones;
  WriteClips(folder.path());
  WritePhones(phones.path(), -1);
  auto clips = ReadTrainingClips(folder.path(), {});
  ReadPhones(phones.path(), &clips);
  ASSERT_EQ(clips.size(), 4u);  // one, two, then music, voice
  EXPECT_EQ(clips[0].phones.size(), clips[0].mel.size() / 2);
  EXPECT_EQ(clips[0].phones[30], auwarp::kBilabial);
  EXPECT_TRUE(clips[1].phones.empty());
  EXPECT_TRUE(clips[2].times.empty());
  EXPECT_EQ(clips[2].grid[10], Target{});  // music: at rest
  EXPECT_TRUE(std::isnan(clips[3].grid[10][0]));
  EXPECT_EQ(clips[3].phones.back(), -1);
  // A sequence has all of them in it, and nothing is known of the mouth where only a voice sounds.
  const SequenceMaker maker(clips, {}, 0);
  std::mt19937_64 random(1);
  const Sequence sequence = maker.Make(4000, &random);
  int voice_only = 0;
  for (size_t s = 0; s < sequence.phone.size(); ++s)
    voice_only += sequence.phone[s] > 0 && sequence.weight[s] == 0 ? 1 : 0;
  EXPECT_GT(voice_only, 100);
}

TEST(SpeechTraining, MissingClipsAndStatesAreErrors) {
  TemporaryFolder clips, out;
  const std::string common = "speech --data " + clips.path() + " --output " + out.path() + "/a";
  EXPECT_EQ(Train(common), 1);
  WriteClips(clips.path());
  EXPECT_EQ(Train(common + " --resume --checkpoint " + out.path() + "/none"), 1);
  EXPECT_NE(Train(common + " --iterations 0"), 0);
}

TEST(SpeechTraining, SequencesLeaveOutWhatIsHeldOut) {
  TemporaryFolder folder;
  WriteClips(folder.path());
  const auto clips = ReadTrainingClips(folder.path(), {});
  ASSERT_EQ(clips.size(), 2u);
  EXPECT_FALSE(clips[0].test);  // too few clips to set some aside
  EXPECT_THROW(SequenceMaker(clips, {"one", "two"}, 0), std::exception);
  const SequenceMaker maker(clips, {"one"}, 0);
  std::mt19937_64 first(4), second(4);
  const Sequence a = maker.Make(100, &first), b = maker.Make(100, &second);
  EXPECT_EQ(a.mel, b.mel);
  EXPECT_EQ(a.mel.size(), 100u * 2 * kMelBands);
  EXPECT_EQ(a.target.size(), 100u);
  EXPECT_EQ(a.weight.size(), 100u);
}

}  // namespace
}  // namespace talkface::training
