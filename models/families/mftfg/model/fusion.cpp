// SPDX-License-Identifier: MIT
#include "models/families/mftfg/model/fusion.h"

#include <cmath>
#include <string>

#include "models/core/error.h"
#include "models/torch/activation.h"

namespace talkface::mftfg {
namespace {

namespace nn = torch::nn;
constexpr int64_t kKernel = 3;
constexpr int64_t kFaceHidden = 112;

int64_t LatentCount(const Config& config) {
  return config.latent_channels * config.latent_size() * config.latent_size();
}

MultiHeadAttentionImpl::Options AttentionOptions(const Config& config, int64_t channels) {
  if (config.official()) {
    return {config.window_frames, config.attention_heads, kOfficialHeadFeatures};
  }
  return {channels, config.attention_heads, channels / config.attention_heads};
}

// x [B, C, T] with zeros where a frame is not valid.
torch::Tensor Silence(const torch::Tensor& x, const torch::Tensor& valid) {
  return valid.defined() ? x * valid.unsqueeze(1).to(x.dtype()) : x;
}

}  // namespace

NormedConvImpl::NormedConvImpl(int64_t in, int64_t out, int64_t dilation) : dilation_(dilation) {
  // Starts as PyTorch's own convolution does, with g = |v|.
  const nn::Conv1d start(nn::Conv1dOptions(in, out, kKernel));
  const torch::NoGradGuard no_gradients;
  const torch::Tensor norm = start->weight.flatten(1).norm(2, 1);
  weight_g = register_parameter("weight_g", norm.view({-1, 1, 1}).clone());
  weight_v = register_parameter("weight_v", start->weight.clone());
  bias = register_parameter("bias", start->bias.clone());
}

torch::Tensor NormedConvImpl::forward(const torch::Tensor& x) {
  const torch::Tensor norm = weight_v.flatten(1).norm(2, 1).view({-1, 1, 1});  // [C', 1, 1]
  const torch::Tensor weight = weight_v * (weight_g / norm);                   // [C', C, 3]
  return torch::conv1d(x, weight, bias, /*stride=*/1, /*padding=*/dilation_, dilation_);
}

MultiHeadAttentionImpl::MultiHeadAttentionImpl(const Options& options)
    : w_qs(options.features, options.heads * options.head_features),
      w_ks(options.features, options.heads * options.head_features),
      w_vs(options.features, options.heads * options.head_features),
      fc(options.heads * options.head_features, options.features),
      layer_norm(nn::LayerNormOptions({options.features})),
      options_(options) {
  register_module("w_qs", w_qs);
  register_module("w_ks", w_ks);
  register_module("w_vs", w_vs);
  register_module("fc", fc);
  register_module("layer_norm", layer_norm);
}

torch::Tensor MultiHeadAttentionImpl::Heads(const torch::Tensor& projected) const {
  return projected.unflatten(2, {options_.heads, options_.head_features}).transpose(1, 2);
}

torch::Tensor MultiHeadAttentionImpl::Weights(const torch::Tensor& tokens,
                                              const torch::Tensor& valid) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(options_.head_features));
  const torch::Tensor q = Heads(w_qs(tokens));                         // [B, h, S, d]
  const torch::Tensor k = Heads(w_ks(tokens));                         // [B, h, S, d]
  torch::Tensor scores = torch::matmul(q * scale, k.transpose(2, 3));  // [B, h, S, S]
  if (valid.defined()) {
    scores = scores.masked_fill(valid.logical_not().unsqueeze(1).unsqueeze(1), nets::kNever);
  }
  return torch::softmax(scores, -1);
}

torch::Tensor MultiHeadAttentionImpl::forward(const torch::Tensor& tokens,
                                              const torch::Tensor& valid) {
  const torch::Tensor v = Heads(w_vs(tokens));                 // [B, h, S, d]
  torch::Tensor x = torch::matmul(Weights(tokens, valid), v);  // [B, h, S, d]
  x = x.transpose(1, 2).flatten(2);                            // [B, S, h d]
  return layer_norm(fc(x) + tokens);                           // [B, S, D]
}

TemporalBlockImpl::TemporalBlockImpl(const Config& config, int64_t in, int64_t out,
                                     int64_t dilation)
    : conv1(in, out, dilation),
      conv2(out, out, dilation),
      att(AttentionOptions(config, out)),
      official_(config.official()),
      window_frames_(config.window_frames) {
  register_module("conv1", conv1);
  register_module("conv2", conv2);
  register_module("att", att);
  if (in != out) {
    downsample = register_module("downsample", nn::Conv1d(nn::Conv1dOptions(in, out, 1)));
  }
}

torch::Tensor TemporalBlockImpl::Convolve(const torch::Tensor& x, const torch::Tensor& valid) {
  torch::Tensor y = torch::relu(conv1(Silence(x, valid)));  // [B, C', T]
  y = torch::relu(conv2(Silence(y, valid)));                // [B, C', T]
  return y;
}

torch::Tensor TemporalBlockImpl::Attend(const torch::Tensor& x, const torch::Tensor& valid) {
  if (official_) {
    if (x.size(2) != window_frames_ || valid.defined()) {
      throw Error(Code::kInvalid, "The official wiring fuses windows of exactly " +
                                      std::to_string(window_frames_) + " valid frames, got " +
                                      std::to_string(x.size(2)) + ".");
    }
    return att(x, torch::Tensor());  // tokens are the C' channels
  }
  return att(x.transpose(1, 2), valid).transpose(1, 2);  // tokens are the T frames
}

torch::Tensor TemporalBlockImpl::forward(const torch::Tensor& x, const torch::Tensor& valid) {
  const torch::Tensor attended = Attend(Convolve(x, valid), valid);         // [B, C', T]
  const torch::Tensor carried = downsample.is_empty() ? x : downsample(x);  // [B, C', T]
  return torch::relu(attended + carried);
}

TacnImpl::TacnImpl(const Config& config) {
  nn::ModuleList network;
  int64_t in = config.fused_features(), dilation = 1;
  for (int64_t out : config.tacn_channels) {
    blocks.emplace_back(config, in, out, dilation);
    network->push_back(blocks.back());
    in = out;
    dilation *= 2;
  }
  register_module("network", network);
}

torch::Tensor TacnImpl::forward(torch::Tensor x, const torch::Tensor& valid) {
  for (TemporalBlock& block : blocks) x = block(x, valid);
  return x;
}

FusionImpl::FusionImpl(const Config& config)
    : fc1(LatentCount(config), kFaceHidden),
      fc2(kFaceHidden, kFaceFeatures),
      tacn(config),
      context_features_(config.context_features()) {
  register_module("fc1", fc1);
  register_module("fc2", fc2);
  register_module("tacn", tacn);
}

torch::Tensor FusionImpl::Concatenate(const FusionInput& input) {
  const int64_t frames = input.audio.size(1);
  torch::Tensor face = fc1(input.audio_face.flatten(2));                     // [B, T or 1, 112]
  face = fc2(face);                                                          // [B, T or 1, 4]
  face = face.expand({-1, frames, -1});                                      // [B, T, 4]
  const torch::Tensor landmarks = input.landmarks.expand({-1, frames, -1});  // [B, T, 64]
  return torch::cat({input.audio, face, landmarks, input.units}, -1);        // [B, T, F]
}

torch::Tensor FusionImpl::forward(const FusionInput& input) {
  const torch::Tensor fused = Concatenate(input).transpose(1, 2);           // [B, F, T]
  const torch::Tensor mixed = tacn(fused, input.valid);                     // [B, C, T]
  const torch::Tensor frames = mixed.transpose(1, 2).flatten(0, 1);         // [B x T, C]
  return frames.narrow(1, 0, context_features_).unsqueeze(1).contiguous();  // [B x T, 1, K]
}

}  // namespace talkface::mftfg
