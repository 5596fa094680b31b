// SPDX-License-Identifier: MIT
// Weights and sounds for the tests of auwarp's speech part.
#pragma once

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "models/core/safetensors.h"
#include "models/families/auwarp/controls.h"
#include "models/families/auwarp/speech/speech_net.h"
#include "models/speech/log_mel.h"
#include "tests/units/support/temporary_folder.h"

namespace talkface::auwarp {

using test::TemporaryFolder;

using Tensors = std::map<std::string, std::pair<std::vector<int64_t>, std::vector<float>>>;

inline Tensors RandomWeights(int members, int channels, int hidden) {
  Tensors tensors;
  std::mt19937 random(8);
  std::normal_distribution<float> normal;
  const auto add = [&](const std::string& name, const std::vector<int64_t>& shape, float size) {
    int64_t count = 1;
    for (int64_t n : shape) count *= n;
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = size * normal(random);
    tensors[name] = {shape, values};
  };
  const int64_t m = members, c = channels, h = hidden, outputs = kDelays * kOutputs;
  add("conv0.weight", {m, c, speech::kMelBands, 4}, 0.08f);
  add("conv0.bias", {m, c}, 0.1f);
  add("conv1.weight", {m, c, c, 3}, 0.1f);
  add("conv1.bias", {m, c}, 0.1f);
  add("conv2.weight", {m, c, c, 3}, 0.1f);
  add("conv2.bias", {m, c}, 0.1f);
  add("gru.weight_ih", {m, 3 * h, c}, 0.15f);
  add("gru.weight_hh", {m, 3 * h, h}, 0.15f);
  add("gru.bias_ih", {m, 3 * h}, 0.1f);
  add("gru.bias_hh", {m, 3 * h}, 0.1f);
  add("head.weight", {m, outputs, h}, 0.3f);
  add("head.bias", {m, outputs}, 0.3f);
  add("phones.weight", {m, kDelays * kPhones, h}, 0.3f);
  add("phones.bias", {m, kDelays * kPhones}, 0.3f);
  tensors["scale"] = {{kOutputs}, std::vector<float>(kOutputs, 0.02f)};
  tensors["typical_mel"] = {{speech::kMelBands}, std::vector<float>(speech::kMelBands, -10.0f)};
  return tensors;
}

// As silero-vad's, under "voice.".
inline void AddRandomVoice(Tensors* tensors) {
  std::mt19937 random(11);
  std::normal_distribution<float> normal;
  const auto add = [&](const std::string& name, const std::vector<int64_t>& shape) {
    int64_t count = 1, inputs = 1;
    for (int64_t n : shape) count *= n;
    if (shape.size() > 1) inputs = count / shape[0];
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = normal(random) / std::sqrt(static_cast<float>(inputs));
    (*tensors)["voice." + name] = {shape, values};
  };
  add("conv1.weight", {128, 129, 3});
  add("conv1.bias", {128});
  add("conv2.weight", {64, 128, 3});
  add("conv2.bias", {64});
  add("conv3.weight", {64, 64, 3});
  add("conv3.bias", {64});
  add("conv4.weight", {128, 64, 3});
  add("conv4.bias", {128});
  add("lstm_cell.weight_ih", {512, 128});
  add("lstm_cell.weight_hh", {512, 128});
  add("lstm_cell.bias_ih", {512});
  add("lstm_cell.bias_hh", {512});
  add("final_conv.weight", {1, 128, 1});
  add("final_conv.bias", {1});
}

inline void WriteWeights(const std::string& path, const Tensors& tensors) {
  std::map<std::string, TensorSource> sources;
  for (const auto& [name, tensor] : tensors)
    sources[name] = {DType::kF32, tensor.first, tensor.second.data()};
  WriteSafeTensors(path, sources, {});
}

inline std::shared_ptr<const SpeechNet> RandomNet(const TemporaryFolder& folder) {
  const std::string path = folder.path() + "/speech.safetensors";
  WriteWeights(path, RandomWeights(2, 24, 32));
  return SpeechNet::Load(SafeTensors::Open(path));
}

// Loudness 0..1 of syllables of uneven length, about four a second.
inline double Syllables(double seconds) {
  return std::pow(std::sin(3.1415927 * (4 * seconds + 0.8 * std::sin(5.1 * seconds))), 2);
}

// A voice of a kind: syllables of a buzz.
inline std::vector<float> Babble(double seconds) {
  std::vector<float> samples(static_cast<size_t>(seconds * speech::kSpeechRateHz));
  for (size_t i = 0; i < samples.size(); ++i) {
    const double t = static_cast<double>(i) / speech::kSpeechRateHz;
    double buzz = 0;
    for (int overtone = 1; overtone < 20; ++overtone)
      buzz += std::sin(6.2831853 * 130 * overtone * t) / overtone;
    samples[i] = static_cast<float>(0.1 * buzz * Syllables(t));
  }
  return samples;
}

// The samples of a 16-bit mono WAV file; none where it is not there.
inline std::vector<float> ReadWav(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::vector<float> samples;
  const size_t data = bytes.find("data");
  if (data == std::string::npos) return samples;
  for (size_t at = data + 8; at + 1 < bytes.size(); at += 2) {
    int16_t sample = 0;
    std::memcpy(&sample, bytes.data() + at, sizeof sample);
    samples.push_back(static_cast<float>(sample) / 32768.0f);
  }
  return samples;
}

inline double Motion(const AuwarpControls& controls) {
  const Expression& e = controls.expression;
  return std::abs(e.opening) + std::abs(e.width) + std::abs(e.upper) + std::abs(e.jaw);
}

}  // namespace talkface::auwarp
