// SPDX-License-Identifier: MIT
#include "models/families/mftfg/model/audio2au.h"

#include <string>
#include <tuple>

#include "models/torch/activation.h"

namespace talkface::mftfg {
namespace {

namespace nn = torch::nn;
constexpr double kUnitSlope = 0.2;
constexpr double kDropout = 0.5;
constexpr int64_t kConvolved = 256, kWide = 128;

// 12 x 25 -> 12 x 11 -> 12 x 5 -> 12 x 1 -> 5 x 1 -> 1 x 1: first over the columns, then the rows.
constexpr ConvBlockImpl::Options kBlocks[] = {
    {1, 8, {1, 4}, {1, 2}, {1, 1}},     {8, 32, {1, 3}, {1, 2}, {1, 1}},
    {32, 64, {1, 3}, {1, 2}, {1, 2}},   {64, 128, {3, 1}, {2, 1}, {1, 1}},
    {128, 256, {3, 1}, {2, 1}, {2, 1}},
};

torch::ExpandingArray<2> Pair(const std::array<int64_t, 2>& values) { return {values}; }

nn::Sequential Layer(int64_t in, int64_t out) {
  return nn::Sequential(nn::Linear(in, out), nets::Leaky(kUnitSlope), nn::Dropout(kDropout));
}

}  // namespace

ConvBlockImpl::ConvBlockImpl(const Options& options)
    : conv1(nn::Conv2dOptions(options.in, options.out, Pair(options.kernel))
                .stride(Pair(options.stride))),
      pool(nn::MaxPool2dOptions(Pair(options.pool))),
      bn1(options.out),
      pools_(options.pool != std::array<int64_t, 2>{1, 1}) {
  register_module("conv1", conv1);
  register_module("bn1", bn1);
}

torch::Tensor ConvBlockImpl::forward(torch::Tensor x) {
  x = conv1(x);
  if (pools_) x = pool(x);
  x = bn1(x);
  return torch::leaky_relu(x, kUnitSlope);
}

UnitRnnImpl::UnitRnnImpl(int64_t hidden)
    : rnn(nn::LSTMOptions(kConvolved, hidden).num_layers(2).bidirectional(true).batch_first(true)),
      fc1(2 * hidden, hidden) {
  register_module("rnn", rnn);
  register_module("fc1", fc1);
}

torch::Tensor UnitRnnImpl::forward(const torch::Tensor& x, const torch::Tensor& valid) {
  if (!valid.defined()) return std::get<0>(rnn(x));
  // The backward direction must start at a window's last valid frame.
  const torch::Tensor lengths = valid.sum(1).to(torch::kCPU);  // [B]
  const auto packed = nn::utils::rnn::pack_padded_sequence(x, lengths, /*batch_first=*/true,
                                                           /*enforce_sorted=*/false);
  const auto output = std::get<0>(rnn->forward_with_packed_input(packed));
  return std::get<0>(nn::utils::rnn::pad_packed_sequence(output, /*batch_first=*/true,
                                                         /*padding_value=*/0.0, x.size(1)));
}

Audio2AUImpl::Audio2AUImpl(const Config& config)
    : rnn(config.au_hidden),
      fc1(Layer(2 * config.au_hidden, kWide)),
      fc2(Layer(kWide, kUnitFeatures)),
      official_(config.official()) {
  for (const ConvBlockImpl::Options& options : kBlocks) {
    blocks.emplace_back(options);
    register_module("block" + std::to_string(blocks.size()), blocks.back());
  }
  register_module("rnn", rnn);
  register_module("fc1", fc1);
  register_module("fc2", fc2);
  if (!official_) intensity = register_module("intensity", nn::Linear(kUnitFeatures, 1));
}

torch::Tensor Audio2AUImpl::Convolve(const torch::Tensor& mfcc) {
  torch::Tensor x = mfcc.unsqueeze(1);  // [N, 1, 12, 25]
  for (ConvBlock& block : blocks) x = block->forward(x);
  return x.flatten(1);  // [N, 256]
}

UnitOutput Audio2AUImpl::Follow(const torch::Tensor& sequence, const torch::Tensor& valid) {
  UnitOutput out;
  out.rnn = rnn->forward(sequence, valid);  // [B, T, 2 H]
  torch::Tensor x = fc1->forward(out.rnn);  // [B, T, 128]
  out.feature = fc2->forward(x);            // [B, T, 64]
  if (official_) return out;
  x = intensity(out.feature).squeeze(-1);  // [B, T]
  out.intensity = kMaxIntensity * torch::sigmoid(x);
  return out;
}

UnitOutput Audio2AUImpl::forward(const torch::Tensor& mfcc, const torch::Tensor& valid) {
  const int64_t windows = mfcc.size(0), frames = mfcc.size(1);
  const torch::Tensor convolved = Convolve(mfcc.flatten(0, 1));  // [N, 256]
  if (!official_) return Follow(convolved.unflatten(0, {windows, frames}), valid);
  UnitOutput out = Follow(convolved.unsqueeze(1), {});       // sequences of length 1
  out.rnn = out.rnn.reshape({windows, frames, -1});          // [B, T, 2 H]
  out.feature = out.feature.reshape({windows, frames, -1});  // [B, T, 64]
  return out;
}

UnitEncoderImpl::UnitEncoderImpl(const Config& config) {
  for (int number : kUnitNumbers) {
    units.emplace_back(config);
    register_module("audio2AU" + std::to_string(number) + "_model", units.back());
  }
}

UnitsOutput UnitEncoderImpl::forward(const torch::Tensor& mfcc, const torch::Tensor& valid) {
  std::vector<torch::Tensor> features, intensities;
  for (Audio2AU& unit : units) {
    const UnitOutput one = unit->forward(mfcc, valid);
    features.push_back(one.feature);
    if (one.intensity.defined()) intensities.push_back(one.intensity);
  }
  UnitsOutput all;
  all.features = torch::cat(features, -1);                                    // [B, T, 320]
  if (!intensities.empty()) all.intensities = torch::stack(intensities, -1);  // [B, T, 5]
  return all;
}

}  // namespace talkface::mftfg
