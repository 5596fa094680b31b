// SPDX-License-Identifier: MIT
// The fusion of speech, action units, landmarks and face to the U-Net's context (the paper's
// multimodal fusion; TACN, a temporal convolutional network with attention).
#pragma once

#include <torch/torch.h>

#include <vector>

#include "models/families/mftfg/config.h"

namespace talkface::mftfg {

// A dilated convolution over time, kernel 3, with weight norm: w = g v / |v|.
//   x [B, C, T] -> [B, C', T]
class NormedConvImpl : public torch::nn::Module {
 public:
  NormedConvImpl(int64_t in, int64_t out, int64_t dilation);
  torch::Tensor forward(const torch::Tensor& x);

  torch::Tensor weight_g, weight_v, bias;  // [C', 1, 1], [C', C, 3], [C']

 private:
  int64_t dilation_;
};
TORCH_MODULE(NormedConv);

// Multi-head self-attention (Vaswani et al. 2017, section 3.2) with residual and layer norm after.
//   tokens [B, S, D], valid [B, S] bool or none -> [B, S, D]
class MultiHeadAttentionImpl : public torch::nn::Module {
 public:
  struct Options {
    int64_t features;              // D
    int64_t heads, head_features;  // h, d
  };
  explicit MultiHeadAttentionImpl(const Options& options);
  // softmax(q k' / sqrt(d)), [B, h, S, S]: row = the token that attends.
  torch::Tensor Weights(const torch::Tensor& tokens, const torch::Tensor& valid);
  torch::Tensor forward(const torch::Tensor& tokens, const torch::Tensor& valid);

  torch::nn::Linear w_qs, w_ks, w_vs, fc;
  torch::nn::LayerNorm layer_norm;

 private:
  torch::Tensor Heads(const torch::Tensor& projected) const;  // [B, S, h d] -> [B, h, S, d]
  Options options_;
};
TORCH_MODULE(MultiHeadAttention);

// One block of TACN: two convolutions, attention, and the input added (through a 1x1 convolution
// where the widths differ).
//   x [B, C, T], valid [B, T] or none -> [B, C', T]
// Official: the attention's tokens are the channels and its features the window's frames, so that
// T is Config::window_frames and all frames are valid (else Error{kInvalid}). Corrected: the tokens
// are the frames.
class TemporalBlockImpl : public torch::nn::Module {
 public:
  TemporalBlockImpl(const Config& config, int64_t in, int64_t out, int64_t dilation);
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& valid);
  torch::Tensor Convolve(const torch::Tensor& x, const torch::Tensor& valid);  // -> [B, C', T]
  torch::Tensor Attend(const torch::Tensor& x, const torch::Tensor& valid);    // [B, C', T]

  NormedConv conv1, conv2;
  MultiHeadAttention att;
  torch::nn::Conv1d downsample{nullptr};  // only where the widths differ

 private:
  bool official_;
  int64_t window_frames_;
};
TORCH_MODULE(TemporalBlock);

// The blocks in a row, dilations 1, 2, 4.. ("network.0" and so on).
//   x [B, F, T], valid [B, T] or none -> [B, C, T]
class TacnImpl : public torch::nn::Module {
 public:
  explicit TacnImpl(const Config& config);
  torch::Tensor forward(torch::Tensor x, const torch::Tensor& valid = {});

  std::vector<TemporalBlock> blocks;
};
TORCH_MODULE(Tacn);

// What is fused, for B windows of T frames. What stays the same over a window may have a 1 for T.
struct FusionInput {
  torch::Tensor audio;       // [B, T, A]
  torch::Tensor audio_face;  // [B, T, C, h, w]: latents of the audio-face
  torch::Tensor landmarks;   // [B, T, 64]
  torch::Tensor units;       // [B, T, 320]
  torch::Tensor valid;       // [B, T] bool, or none: all frames are
};

// audio, audio-face, landmarks and units of each frame, side by side, through TACN; to one context
// token a frame, [B x T, 1, K]. K = Config::context_features(): official the first 8 channels of
// TACN's output, as the official U-Net takes them; corrected all of them.
class FusionImpl : public torch::nn::Module {
 public:
  explicit FusionImpl(const Config& config);
  torch::Tensor Concatenate(const FusionInput& input);  // [B, T, F]
  torch::Tensor forward(const FusionInput& input);

  torch::nn::Linear fc1, fc2;  // the audio-face's latents to 4 numbers
  Tacn tacn;

 private:
  int64_t context_features_;
};
TORCH_MODULE(Fusion);

}  // namespace talkface::mftfg
