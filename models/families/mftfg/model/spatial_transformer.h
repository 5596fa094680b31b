// SPDX-License-Identifier: MIT
// Attention of the U-Net's feature maps to themselves and to the fused speech features (Rombach et
// al. 2022, section 3.3). Members are named as in CompVis' checkpoints.
//   B frames, T = H W pixels, C channels, S context tokens of D features
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "models/torch/layers.h"

namespace talkface::mftfg {

// What the U-Net is told: context tokens, or what each transformer reads out of the one token.
struct Guidance {
  torch::Tensor tokens;               // [B, S, D]; undefined where folded
  std::vector<torch::Tensor> folded;  // by transformer: [B, 1, C]
};

// softmax(q k^T / sqrt(d)) v by heads of d channels, then to_out.
//   x [B, T, C], context [B, S, D] -> [B, T, C]
// The official code makes new random to_k and to_v in every call; here they are parameters.
class CrossAttentionImpl : public torch::nn::Module {
 public:
  CrossAttentionImpl(int64_t channels, int64_t context_features, int64_t head_channels);
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& context);
  // What every pixel reads out of a single token, whatever it asks: the softmax over one key is 1.
  //   context [B, 1, D] -> [B, 1, C]
  torch::Tensor Fold(const torch::Tensor& context);

  nets::Dense to_q, to_k, to_v, to_out;  // "to_out.0"

 private:
  torch::Tensor SplitHeads(const torch::Tensor& x) const;
  int64_t head_channels_;
};
TORCH_MODULE(CrossAttention);

// GEGLU (Shazeer 2020): (a * gelu(b)) W with [a | b] = x V, 4 C wide.
class FeedForwardImpl : public torch::nn::Module {
 public:
  explicit FeedForwardImpl(int64_t channels);
  torch::Tensor forward(const torch::Tensor& x);

  nets::Dense proj, out;  // "net.0.proj", "net.2"
};
TORCH_MODULE(FeedForward);

// x += attn1(norm1 x, itself); x += attn2(norm2 x, context); x += ff(norm3 x).
class TransformerBlockImpl : public torch::nn::Module {
 public:
  // `index` is its place in Guidance::folded.
  TransformerBlockImpl(int64_t channels, int64_t context_features, int64_t head_channels,
                       size_t index);
  // x [B, T, C] -> [B, T, C]
  torch::Tensor forward(torch::Tensor x, const Guidance& guidance);

  CrossAttention attn1, attn2;
  FeedForward ff;
  nets::TokenNorm norm1, norm2, norm3;

 private:
  size_t index_;
};
TORCH_MODULE(TransformerBlock);

// x + proj_out(block(proj_in(GroupNorm(x)))), the pixels as tokens. x [B, C, H, W] -> same shape.
class SpatialTransformerImpl : public torch::nn::Module {
 public:
  // `size`, the map's width and height, as in ConvShape.
  SpatialTransformerImpl(int64_t channels, int64_t context_features, int64_t head_channels,
                         int64_t size, size_t index);
  torch::Tensor forward(const torch::Tensor& x, const Guidance& guidance);

  nets::Norm norm;
  nets::Conv proj_in, proj_out;
  TransformerBlock block;  // "transformer_blocks.0"
};
TORCH_MODULE(SpatialTransformer);

// [B, C, H, W] -> [B, H W, C], without a copy where the map is channels-last.
torch::Tensor TokensOfMap(const torch::Tensor& map);
// The inverse; the map is channels-last.
torch::Tensor MapOfTokens(const torch::Tensor& tokens, int64_t rows, int64_t columns);

}  // namespace talkface::mftfg
