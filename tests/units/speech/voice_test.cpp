// SPDX-License-Identifier: MIT
// Who moves the mouth: the gate, the voice detector, and the pack that ships.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "models/core/pack.h"
#include "models/families/auwarp/speech/speech_run.h"
#include "models/families/auwarp/speech/speech_stream.h"
#include "tests/test_data.h"
#include "tests/units/support/expect_error.h"
#include "tests/units/support/speech_fixture.h"

namespace talkface::auwarp {
namespace {

using testing::DataFile;
using testing::DataFiles;

constexpr uint64_t kMs = 1'000'000;

std::shared_ptr<const AuwarpControls> Take(SpeechModel* stream, uint64_t ms) {
  return std::static_pointer_cast<const AuwarpControls>(stream->Take(ms * kMs));
}

std::vector<int> DelaysMs() { return {kDelaysMs.begin(), kDelaysMs.end()}; }

TEST(SpeechGate, OpensForAVoiceAlone) {
  const auto heard = [](float voice) {
    speech::SpeechGate gate(true, DelaysMs());
    for (int step = 0; step < 60; ++step) gate.Step(-60.0f, 0.0f);
    speech::GateValue value{};
    for (int step = 0; step < 20; ++step) value = gate.Step(-20.0f, voice);
    return value.open;
  };
  for (int d = 0; d < kDelays; ++d) {
    EXPECT_EQ(heard(0.0f)[d], 0.0f);
    EXPECT_EQ(heard(0.45f)[d], 0.0f);
    EXPECT_EQ(heard(0.9f)[d], 1.0f);
  }
  // Once open, it stays so at less; and what is silent is no speech whatever the detector says.
  speech::SpeechGate gate(true, DelaysMs());
  for (int step = 0; step < 20; ++step) gate.Step(-20.0f, 0.9f);
  speech::GateValue value{};
  for (int step = 0; step < 50; ++step) value = gate.Step(-20.0f, 0.4f);
  EXPECT_EQ(value.open[0], 1.0f);
  for (int step = 0; step < 50; ++step) value = gate.Step(-80.0f, 0.9f);
  EXPECT_EQ(value.open[0], 0.0f);
}

// How long after the last voice the gate is open, and how long until it is shut, in ms.
std::pair<int, int> AfterTheVoice(float level_db) {
  speech::SpeechGate gate(true, DelaysMs());
  for (int step = 0; step < 50; ++step) gate.Step(level_db, 0.9f);
  int open = 0, moving = 0;
  for (int step = 0; step < 100; ++step) {
    const float value = gate.Step(level_db, 0.0f).open[0];
    open += value == 1.0f ? 1 : 0;
    moving += value > 0.0f ? 1 : 0;
  }
  return {open * kStepMs, moving * kStepMs};
}

TEST(SpeechGate, ClosesHalfASecondAfterTheVoiceAndLaterWhereItIsQuiet) {
  const auto [open, moving] = AfterTheVoice(-20.0f);
  // 180 ms and the delay's 40.
  EXPECT_NEAR(open, 220, 40);
  EXPECT_NEAR(moving, 420, 40);
  const auto [quiet_open, quiet_moving] = AfterTheVoice(-65.0f);
  EXPECT_NEAR(quiet_open, 1220, 40);
  EXPECT_NEAR(quiet_moving, 1420, 40);
}

TEST(SpeechGate, BeforeTheFirstVoiceOnlyQuietOpensIt) {
  speech::SpeechGate loud(true, DelaysMs()), quiet(true, DelaysMs());
  for (int step = 0; step < 20; ++step) {
    EXPECT_EQ(loud.Step(-20.0f, 0.1f).open[0], 0.0f);
    const speech::GateValue value = quiet.Step(-65.0f, 0.1f);
    EXPECT_GT(value.open[0], 0.0f);
    EXPECT_FALSE(value.heard);
  }
  for (int step = 0; step < 5; ++step) quiet.Step(-20.0f, 0.9f);
  const speech::GateValue spoken = quiet.Step(-20.0f, 0.9f);
  EXPECT_EQ(spoken.open[0], 1.0f);
  EXPECT_TRUE(spoken.heard);
}

TEST(VoiceDetector, TakesPiecesOfAnySize) {
  TemporaryFolder folder;
  const std::vector<float> speech = Babble(2.0);
  Tensors tensors = RandomWeights(2, 24, 32);
  AddRandomVoice(&tensors);
  const std::string path = folder.path() + "/voice.safetensors";
  WriteWeights(path, tensors);
  const auto net = SpeechNet::Load(SafeTensors::Open(path));
  ASSERT_NE(net->voice(), nullptr);
  speech::VoiceDetector whole(net->voice());
  const float last = whole.Push(speech.data(), 20000);
  EXPECT_GT(last, 0.0f);
  EXPECT_LT(last, 1.0f);
  for (int cut : {1, 320, 511, 700}) {
    speech::VoiceDetector pieces(net->voice());
    float value = 0;
    for (int at = 0; at < 20000; at += cut)
      value = pieces.Push(speech.data() + at, std::min(cut, 20000 - at));
    EXPECT_EQ(value, last) << "pieces of " << cut;
  }
  tensors["voice.conv3.weight"].first = {64, 192, 1};
  WriteWeights(path, tensors);
  EXPECT_ERROR(SpeechNet::Load(SafeTensors::Open(path)), Code::kBadPack, "voice.conv3.weight");
}

std::shared_ptr<const SpeechNet> ShippedNet() {
  return SpeechNet::Load(Pack::Open("auwarp", "")->Tensors("speech"));
}

// What silero-vad 6.2.3's own net says of Babble's first second (its silero_vad_16k.safetensors,
// run as its tinygrad_model.py describes).
TEST(VoiceNet, EqualsSilero) {
  const std::vector<float> silero = {
      0.18504f, 0.05699f, 0.06886f, 0.17004f, 0.39930f, 0.16374f, 0.05745f, 0.03479f,
      0.06739f, 0.08473f, 0.03735f, 0.01660f, 0.00591f, 0.00203f, 0.00138f, 0.00109f,
      0.00095f, 0.00082f, 0.00057f, 0.00056f, 0.00059f, 0.00067f, 0.00066f, 0.00065f,
      0.00083f, 0.00050f, 0.00047f, 0.00055f, 0.00147f, 0.00399f, 0.04279f};
  const std::vector<float> sound = Babble(1.0);
  speech::VoiceDetector detector(ShippedNet()->voice());
  for (size_t chunk = 0; chunk < silero.size(); ++chunk)
    EXPECT_NEAR(detector.Push(sound.data() + chunk * speech::kVoiceChunk, speech::kVoiceChunk),
                silero[chunk], 1e-4)
        << "chunk " << chunk;
}

// Chords that are struck twice a second, of twelve overtones.
std::vector<float> Chords(double seconds) {
  std::vector<float> samples(static_cast<size_t>(seconds * speech::kSpeechRateHz));
  for (size_t i = 0; i < samples.size(); ++i) {
    const double t = static_cast<double>(i) / speech::kSpeechRateHz, age = std::fmod(t, 0.5);
    const double root = 220 * std::pow(2.0, static_cast<int>(t * 2) * 5 % 12 / 12.0);
    double sound = 0;
    for (double ratio : {1.0, 1.25, 1.5})
      for (int overtone = 1; overtone <= 12; ++overtone)
        sound += std::sin(6.2831853 * root * ratio * overtone * t) / overtone;
    samples[i] = static_cast<float>(0.08 * sound * std::min(1.0, age * 50) * std::exp(-3 * age));
  }
  return samples;
}

std::vector<float> Hiss(double seconds, float size) {
  std::vector<float> samples(static_cast<size_t>(seconds * speech::kSpeechRateHz));
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0.0f, size);
  for (float& sample : samples) sample = normal(random);
  return samples;
}

// Largest less smallest opening from `from_ms` on, of all delays the largest such range.
float OpeningRange(const std::shared_ptr<const SpeechNet>& net, const std::vector<float>& sound,
                   uint64_t from_ms) {
  float range = 0;
  for (int delay : {0, kDelays - 1}) {
    SpeechRun run(net);
    run.Push(sound.data(), sound.size());
    float least = 1, most = -1;
    for (uint64_t t = from_ms * kMs; run.Has(t, delay); t += 20 * kMs) {
      const float opening = run.At(t, delay)[0];
      least = std::min(least, opening);
      most = std::max(most, opening);
    }
    range = std::max(range, most - least);
  }
  return range;
}

TEST(ShippedPack, RestsWhereNobodySpeaks) {
  const auto net = ShippedNet();
  std::vector<float> clicks(16000 * 8, 0.0f), hum(16000 * 8);
  for (size_t i = 0; i < clicks.size(); i += 6000) clicks[i] = 0.8f;
  for (size_t i = 0; i < hum.size(); ++i)
    hum[i] = 0.2f * std::sin(6.2831853f * 50 * static_cast<float>(i) / 16000);
  std::map<std::string, std::vector<float>> sounds = {
      {"silence", std::vector<float>(16000 * 8, 0.0f)},
      {"hiss", Hiss(8, 0.01f)},
      {"chords", Chords(8)},
      {"clicks", clicks},
      {"hum", hum}};
  for (const std::string& path : DataFiles("nonspeech")) {
    sounds[path] = ReadWav(path);
    EXPECT_FALSE(sounds[path].empty()) << path;
  }
  for (const auto& [name, sound] : sounds) EXPECT_LT(OpeningRange(net, sound, 500), 0.01f) << name;
}

// The detector's memory of a voice must not keep the mouth moving in music that follows it.
TEST(ShippedPack, RestsInMusicThatFollowsSpeech) {
  const auto speech = ReadWav(DataFile("speech/en_jfk_11s_16k.wav"));
  const auto music = ReadWav(DataFile("nonspeech/music_sunflower_15s_16k.wav"));
  const auto net = ShippedNet();
  for (uint64_t spoken_ms : {1500u, 2000u, 4000u, 8000u, 11000u}) {
    const auto count = [](uint64_t ms) {
      return static_cast<ptrdiff_t>(ms * speech::kSpeechRateHz / 1000);
    };
    std::vector<float> sound(speech.begin(), speech.begin() + count(spoken_ms));
    sound.insert(sound.end(), music.begin(), music.begin() + count(4000));
    EXPECT_LT(OpeningRange(net, sound, spoken_ms + 500), 0.01f)
        << "after " << spoken_ms << " ms of speech";
  }
}

TEST(ShippedPack, SpeaksAndRests) {
  const auto speech = ReadWav(DataFile("speech/en_jfk_11s_16k.wav"));
  const auto pack = Pack::Open("auwarp", "");
  EXPECT_EQ(pack->timing().look_ahead_min_ms, kLookAheadMinMs);
  EXPECT_EQ(pack->timing().look_ahead_max_ms, kLookAheadMaxMs);
  const auto stream = OpenSpeechStream(SpeechNet::Load(pack->Tensors("speech")));
  stream->Push(nullptr, 2 * speech::kSpeechRateHz);
  stream->Push(speech.data(), speech.size());
  stream->Push(nullptr, 2 * speech::kSpeechRateHz);
  stream->Drain();
  float most = 0;
  int open = 0, frames = 0;
  for (uint64_t t = 0; t < 15'000; t += 40) {
    const auto controls = Take(stream.get(), t);
    if (t < 1500 || t > 14'000) {
      EXPECT_EQ(Motion(*controls), 0.0) << t << " ms";
    }
    most = std::max(most, controls->expression.opening);
    frames += t >= 2000 && t < 13'000 ? 1 : 0;
    open += controls->expression.opening > 0.02f ? 1 : 0;
  }
  EXPECT_GT(most, 0.04f);
  EXPECT_LT(most, 0.14f);
  EXPECT_GT(open, frames / 5);
}

}  // namespace
}  // namespace talkface::auwarp
