// SPDX-License-Identifier: MIT
// The first stage: VQ-f4 of the paper's section on latent diffusion, after Esser et al. 2021
// ("Taming Transformers") and Rombach et al. 2022. Members are named as in the official
// checkpoints ("first_stage_model.").
//   B frames, R picture size, L = R / 2^(levels - 1) latent size, Z latent channels, K codes
#pragma once

#include <torch/torch.h>

#include <vector>

#include "models/families/mftfg/config.h"
#include "models/torch/layers.h"

namespace talkface::mftfg {

// x + conv2(silu(norm2(conv1(silu(norm1(x)))))), with a 1x1 convolution on x where the width
// changes.
class VqBlockImpl : public torch::nn::Module {
 public:
  VqBlockImpl(int64_t in, int64_t out, int64_t size);  // size as in ConvShape
  torch::Tensor forward(const torch::Tensor& x);

  nets::Norm norm1, norm2;
  nets::Conv conv1, conv2;
  nets::Conv nin_shortcut{nullptr};
};
TORCH_MODULE(VqBlock);

// Self-attention with one head over the pixels: x + proj_out(softmax(q k^T / sqrt(C)) v).
class VqAttentionImpl : public torch::nn::Module {
 public:
  VqAttentionImpl(int64_t channels, int64_t size);
  torch::Tensor forward(const torch::Tensor& x);

  nets::Norm norm;
  nets::Conv q, k, v, proj_out;
};
TORCH_MODULE(VqAttention);

// "mid": a block, attention, a block.
class VqMiddleImpl : public torch::nn::Module {
 public:
  VqMiddleImpl(int64_t channels, int64_t size);
  torch::Tensor forward(const torch::Tensor& x);

  VqBlock block_1, block_2;
  VqAttention attn_1;
};
TORCH_MODULE(VqMiddle);

// Pictures to latents: image [B, 3, R, R] -> [B, Z, L, L].
class VqEncoderImpl : public torch::nn::Module {
 public:
  explicit VqEncoderImpl(const Config& config);
  torch::Tensor forward(const torch::Tensor& image);
  // One level: its blocks, and the halving at its end, if it has one.
  torch::Tensor Down(size_t level, torch::Tensor x);

  struct Level {
    std::vector<VqBlock> blocks;
    nets::Conv downsample{nullptr};
  };
  nets::Conv conv_in{nullptr}, conv_out{nullptr};
  std::vector<Level> down;
  VqMiddle mid{nullptr};
  nets::Norm norm_out{nullptr};
};
TORCH_MODULE(VqEncoder);

// Latents to pictures: z [B, Z, L, L] -> [B, 3, R, R], not clamped.
class VqDecoderImpl : public torch::nn::Module {
 public:
  explicit VqDecoderImpl(const Config& config);
  torch::Tensor forward(const torch::Tensor& z);

  struct Level {
    std::vector<VqBlock> blocks;
    nets::UpsampleConv upsample{nullptr};
  };
  nets::Conv conv_in{nullptr}, conv_out{nullptr};
  VqMiddle mid{nullptr};
  std::vector<Level> up;  // by level; run from the last to the first
  nets::Norm norm_out{nullptr};
};
TORCH_MODULE(VqDecoder);

// The nearest code e_k of each latent cell: k = argmin |z - e_k|.
class QuantizerImpl : public torch::nn::Module {
 public:
  explicit QuantizerImpl(const Config& config);
  // z [B, Z, L, L] -> [B, L, L], int64.
  torch::Tensor Indices(const torch::Tensor& z);
  // z [B, Z, L, L] -> the codes, the same shape; gradients pass straight through to z.
  torch::Tensor forward(const torch::Tensor& z);

  torch::nn::Embedding embedding;  // [K, Z]
};
TORCH_MODULE(Quantizer);

class FirstStageImpl : public torch::nn::Module {
 public:
  explicit FirstStageImpl(const Config& config);
  // image [B, 3, R, R], made for -1..1 -> latents [B, Z, L, L], not quantised (scale factor 1).
  torch::Tensor Encode(const torch::Tensor& image);
  // Latents, quantised or not -> pictures [B, 3, R, R], about -1..1.
  torch::Tensor DecodeCodes(const torch::Tensor& z);
  // The same from any latents, which are quantised first, as the official code does.
  torch::Tensor Decode(const torch::Tensor& z);

  VqEncoder encoder;
  VqDecoder decoder;
  Quantizer quantize;
  nets::Conv quant_conv, post_quant_conv;
};
TORCH_MODULE(FirstStage);

}  // namespace talkface::mftfg
