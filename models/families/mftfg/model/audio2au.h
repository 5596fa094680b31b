// SPDX-License-Identifier: MIT
// Speech-related action units (Audio2AU of the official code; the paper's "Audio-to-AU module"):
// one network for each of AU10, 14, 20, 25 and 26.
#pragma once

#include <torch/torch.h>

#include <array>
#include <vector>

#include "models/families/mftfg/config.h"

namespace talkface::mftfg {

// FACS numbers, in the order in which features, intensities and masks have them.
constexpr std::array<int, kActionUnits> kUnitNumbers = {10, 14, 20, 25, 26};
constexpr double kMaxIntensity = 5.0;

// Convolution, max-pooling, batch norm, LeakyReLU.
//   x [N, C, h, w] -> [N, C', h', w']
class ConvBlockImpl : public torch::nn::Module {
 public:
  struct Options {
    int64_t in, out;
    std::array<int64_t, 2> kernel, stride, pool;
  };
  explicit ConvBlockImpl(const Options& options);
  torch::Tensor forward(torch::Tensor x);

  torch::nn::Conv2d conv1;
  torch::nn::MaxPool2d pool;
  torch::nn::BatchNorm2d bn1;

 private:
  const bool pools_;  // over more than one element
};
TORCH_MODULE(ConvBlock);

// The recurrent part: two bidirectional layers of H units. `fc1` has no use; the official
// checkpoints hold it, so it is kept for them.
class UnitRnnImpl : public torch::nn::Module {
 public:
  explicit UnitRnnImpl(int64_t hidden);
  // x [B, T, 256], valid [B, T] or none -> [B, T, 2 H]; frames that are not valid give zeros and
  // have no influence on others.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& valid);

  torch::nn::LSTM rnn;
  torch::nn::Linear fc1;
};
TORCH_MODULE(UnitRnn);

struct UnitOutput {
  torch::Tensor rnn;        // [B, T, 2 H]
  torch::Tensor feature;    // [B, T, 64]
  torch::Tensor intensity;  // [B, T], 0..5; only with the corrected wiring
};

// One action unit.
//   mfcc [B, T, 12, 25], valid [B, T] or none -> UnitOutput
// Official: every frame is a sequence of its own, whatever B and T are. Corrected: the frames of a
// window are one sequence, and a head ("intensity") tells the action unit from the feature.
class Audio2AUImpl : public torch::nn::Module {
 public:
  explicit Audio2AUImpl(const Config& config);
  UnitOutput forward(const torch::Tensor& mfcc, const torch::Tensor& valid = {});
  // The two halves of forward: [N, 12, 25] -> [N, 256], and the rest from a sequence [B, T, 256].
  torch::Tensor Convolve(const torch::Tensor& mfcc);
  UnitOutput Follow(const torch::Tensor& sequence, const torch::Tensor& valid);

  std::vector<ConvBlock> blocks;  // "block1" to "block5"
  UnitRnn rnn;
  torch::nn::Sequential fc1, fc2;
  torch::nn::Linear intensity{nullptr};  // corrected only

 private:
  bool official_;
};
TORCH_MODULE(Audio2AU);

struct UnitsOutput {
  torch::Tensor features;     // [B, T, 320]
  torch::Tensor intensities;  // [B, T, 5], 0..5; only with the corrected wiring
};

// All five ("audio2AU10_model" and so on).
//   mfcc [B, T, 12, 25], valid [B, T] or none -> UnitsOutput
class UnitEncoderImpl : public torch::nn::Module {
 public:
  explicit UnitEncoderImpl(const Config& config);
  UnitsOutput forward(const torch::Tensor& mfcc, const torch::Tensor& valid = {});

  std::vector<Audio2AU> units;  // as kUnitNumbers
};
TORCH_MODULE(UnitEncoder);

}  // namespace talkface::mftfg
