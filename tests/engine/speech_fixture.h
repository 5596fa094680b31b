// SPDX-License-Identifier: MIT
// Weights and sounds for the tests of auwarp's speech part.
#pragma once

#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "models/auwarp/speech_front_end.h"
#include "models/auwarp/speech_net.h"
#include "models/core/safetensors.h"
#include "tests/engine/temporary_folder.h"

namespace talkface::auwarp {

using test::TemporaryFolder;

using Tensors = std::map<std::string, std::pair<std::vector<int64_t>, std::vector<float>>>;

inline Tensors RandomWeights(int channels, int hidden) {
  Tensors tensors;
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  const auto add = [&](const std::string& name, const std::vector<int64_t>& shape, float size) {
    int64_t count = 1;
    for (int64_t n : shape) count *= n;
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = size * normal(random);
    tensors[name] = {shape, values};
  };
  const int64_t c = channels, h = hidden, outputs = kDelays * kOutputs;
  add("conv0.weight", {c, kMelBands, 4}, 0.08f);
  add("conv0.bias", {c}, 0.1f);
  add("conv1.weight", {c, c, 3}, 0.1f);
  add("conv1.bias", {c}, 0.1f);
  add("conv2.weight", {c, c, 3}, 0.1f);
  add("conv2.bias", {c}, 0.1f);
  add("gru.weight_ih", {3 * h, c}, 0.15f);
  add("gru.weight_hh", {3 * h, h}, 0.15f);
  add("gru.bias_ih", {3 * h}, 0.1f);
  add("gru.bias_hh", {3 * h}, 0.1f);
  add("head.weight", {outputs, h}, 0.3f);
  add("head.bias", {outputs}, 0.3f);
  tensors["scale"] = {{kOutputs}, std::vector<float>(kOutputs, 0.02f)};
  tensors["typical_mel"] = {{kMelBands}, std::vector<float>(kMelBands, -10.0f)};
  return tensors;
}

inline void WriteWeights(const std::string& path, const Tensors& tensors) {
  std::map<std::string, TensorSource> sources;
  for (const auto& [name, tensor] : tensors)
    sources[name] = {DType::kF32, tensor.first, tensor.second.data()};
  WriteSafeTensors(path, sources, {});
}

inline std::shared_ptr<const SpeechNet> RandomNet(const TemporaryFolder& folder) {
  const std::string path = folder.path() + "/speech.safetensors";
  WriteWeights(path, RandomWeights(24, 32));
  return SpeechNet::Load(SafeTensors::Open(path));
}

// Loudness 0..1 of syllables of uneven length, about four a second.
inline double Syllables(double seconds) {
  return std::pow(std::sin(3.1415927 * (4 * seconds + 0.8 * std::sin(5.1 * seconds))), 2);
}

// A voice of a kind: syllables of a buzz.
inline std::vector<float> Babble(double seconds) {
  std::vector<float> samples(static_cast<size_t>(seconds * kSpeechRateHz));
  for (size_t i = 0; i < samples.size(); ++i) {
    const double t = static_cast<double>(i) / kSpeechRateHz;
    double buzz = 0;
    for (int overtone = 1; overtone < 20; ++overtone)
      buzz += std::sin(6.2831853 * 130 * overtone * t) / overtone;
    samples[i] = static_cast<float>(0.1 * buzz * Syllables(t));
  }
  return samples;
}

}  // namespace talkface::auwarp
