// SPDX-License-Identifier: MIT
#include "models/families/mftfg/model/spatial_transformer.h"

#include <cstdint>

namespace talkface::mftfg {
namespace {

using torch::Tensor;

constexpr double kNormEpsilon = 1e-6;
constexpr int64_t kFeedForwardWidth = 4;

}  // namespace

Tensor TokensOfMap(const Tensor& map) { return map.flatten(2).transpose(1, 2); }

Tensor MapOfTokens(const Tensor& tokens, int64_t rows, int64_t columns) {
  return tokens.transpose(1, 2).unflatten(2, {rows, columns});
}

CrossAttentionImpl::CrossAttentionImpl(int64_t channels, int64_t context_features,
                                       int64_t head_channels)
    : to_q(nets::Place(*this, "to_q", nets::Dense(channels, channels, false))),
      to_k(nets::Place(*this, "to_k", nets::Dense(context_features, channels, false))),
      to_v(nets::Place(*this, "to_v", nets::Dense(context_features, channels, false))),
      to_out(nets::Place(*this, "to_out.0", nets::Dense(channels, channels))),
      head_channels_(head_channels) {}

Tensor CrossAttentionImpl::SplitHeads(const Tensor& x) const {
  return x.unflatten(2, {-1, head_channels_}).transpose(1, 2);  // [B, heads, T, d]
}

Tensor CrossAttentionImpl::forward(const Tensor& x, const Tensor& context) {
  const Tensor q = SplitHeads(to_q(x));                           // [B, heads, T, d]
  const Tensor k = SplitHeads(to_k(context));                     // [B, heads, S, d]
  const Tensor v = SplitHeads(to_v(context));                     // [B, heads, S, d]
  const Tensor read = at::scaled_dot_product_attention(q, k, v);  // [B, heads, T, d]
  return to_out(read.transpose(1, 2).flatten(2));                 // [B, T, C]
}

Tensor CrossAttentionImpl::Fold(const Tensor& context) { return to_out(to_v(context)); }

FeedForwardImpl::FeedForwardImpl(int64_t channels)
    : proj(nets::Place(*this, "net.0.proj",
                       nets::Dense(channels, 2 * kFeedForwardWidth * channels))),
      out(nets::Place(*this, "net.2", nets::Dense(kFeedForwardWidth * channels, channels))) {}

Tensor FeedForwardImpl::forward(const Tensor& x) {
  const std::vector<Tensor> halves = proj(x).chunk(2, -1);  // 2 x [B, T, 4 C]
  return out(halves[0] * at::gelu(halves[1]));              // [B, T, C]
}

TransformerBlockImpl::TransformerBlockImpl(int64_t channels, int64_t context_features,
                                           int64_t head_channels, size_t index)
    : attn1(nets::Place(*this, "attn1", CrossAttention(channels, channels, head_channels))),
      attn2(nets::Place(*this, "attn2", CrossAttention(channels, context_features, head_channels))),
      ff(nets::Place(*this, "ff", FeedForward(channels))),
      norm1(nets::Place(*this, "norm1", nets::TokenNorm(channels))),
      norm2(nets::Place(*this, "norm2", nets::TokenNorm(channels))),
      norm3(nets::Place(*this, "norm3", nets::TokenNorm(channels))),
      index_(index) {}

Tensor TransformerBlockImpl::forward(Tensor x, const Guidance& guidance) {
  const Tensor own = norm1(x);  // [B, T, C]
  x = x + attn1(own, own);      // [B, T, C]
  x = x + (guidance.folded.empty() ? attn2(norm2(x), guidance.tokens)
                                   : guidance.folded[index_]);  // [B, T, C] or [B, 1, C]
  return x + ff(norm3(x));                                      // [B, T, C]
}

SpatialTransformerImpl::SpatialTransformerImpl(int64_t channels, int64_t context_features,
                                               int64_t head_channels, int64_t size, size_t index)
    : norm(nets::Place(*this, "norm", nets::Norm(channels, kNormEpsilon, nets::Activation::kNone))),
      proj_in(nets::Place(*this, "proj_in",
                          nets::Conv(nets::ConvShape{channels, channels, 1, 1, 0, size}))),
      proj_out(nets::Place(*this, "proj_out",
                           nets::Conv(nets::ConvShape{channels, channels, 1, 1, 0, size}))),
      block(nets::Place(*this, "transformer_blocks.0",
                        TransformerBlock(channels, context_features, head_channels, index))) {}

Tensor SpatialTransformerImpl::forward(const Tensor& x, const Guidance& guidance) {
  Tensor tokens = TokensOfMap(proj_in(norm(x)));                       // [B, T, C]
  tokens = block(tokens, guidance);                                    // [B, T, C]
  return proj_out->Add(MapOfTokens(tokens, x.size(2), x.size(3)), x);  // [B, C, H, W]
}

}  // namespace talkface::mftfg
