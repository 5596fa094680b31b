// SPDX-License-Identifier: MIT
#include "models/families/mftfg/model/first_stage.h"

#include <string>

namespace talkface::mftfg {
namespace {

using torch::Tensor;
namespace functional = torch::nn::functional;

constexpr double kFirstStageEpsilon = 1e-6;  // of the first stage's norms

nets::Norm MakeNorm(int64_t channels, nets::Activation activation = nets::Activation::kSilu) {
  return nets::Norm(channels, kFirstStageEpsilon, activation);
}

nets::Conv MakeConv(int64_t in, int64_t out, int64_t size) {
  return nets::Conv(nets::ConvShape{in, out, 3, 1, 1, size});
}

nets::Conv MakePointConv(int64_t in, int64_t out, int64_t size) {
  return nets::Conv(nets::ConvShape{in, out, 1, 1, 0, size});
}

Tensor ToTokens(const Tensor& map) {
  return map.flatten(2).transpose(1, 2).unsqueeze(1);  // [B, 1, H W, C]
}

std::string Numbered(const char* list, size_t level, const std::string& rest) {
  return std::string(list) + "." + std::to_string(level) + "." + rest;
}

}  // namespace

VqBlockImpl::VqBlockImpl(int64_t in, int64_t out, int64_t size)
    : norm1(nets::Place(*this, "norm1", MakeNorm(in))),
      norm2(nets::Place(*this, "norm2", MakeNorm(out))),
      conv1(nets::Place(*this, "conv1", MakeConv(in, out, size))),
      conv2(nets::Place(*this, "conv2", MakeConv(out, out, size))) {
  if (in != out) nin_shortcut = nets::Place(*this, "nin_shortcut", MakePointConv(in, out, size));
}

Tensor VqBlockImpl::forward(const Tensor& x) {
  const Tensor h = norm2(conv1(norm1(x)));                                // [B, out, H, W]
  const Tensor shortcut = nin_shortcut.is_empty() ? x : nin_shortcut(x);  // [B, out, H, W]
  return conv2->Add(h, shortcut);                                         // [B, out, H, W]
}

VqAttentionImpl::VqAttentionImpl(int64_t channels, int64_t size)
    : norm(nets::Place(*this, "norm", MakeNorm(channels, nets::Activation::kNone))),
      q(nets::Place(*this, "q", MakePointConv(channels, channels, size))),
      k(nets::Place(*this, "k", MakePointConv(channels, channels, size))),
      v(nets::Place(*this, "v", MakePointConv(channels, channels, size))),
      proj_out(nets::Place(*this, "proj_out", MakePointConv(channels, channels, size))) {}

Tensor VqAttentionImpl::forward(const Tensor& x) {
  const Tensor h = norm(x);  // [B, C, H, W]
  const Tensor read = at::scaled_dot_product_attention(ToTokens(q(h)), ToTokens(k(h)),
                                                       ToTokens(v(h)));  // [B, 1, H W, C]
  const Tensor map =
      read.squeeze(1).transpose(1, 2).unflatten(2, {x.size(2), x.size(3)});  // [B, C, H, W]
  return proj_out->Add(map, x);
}

VqMiddleImpl::VqMiddleImpl(int64_t channels, int64_t size)
    : block_1(nets::Place(*this, "block_1", VqBlock(channels, channels, size))),
      block_2(nets::Place(*this, "block_2", VqBlock(channels, channels, size))),
      attn_1(nets::Place(*this, "attn_1", VqAttention(channels, size))) {}

Tensor VqMiddleImpl::forward(const Tensor& x) { return block_2(attn_1(block_1(x))); }

VqEncoderImpl::VqEncoderImpl(const Config& config) {
  int64_t width = config.first_stage_channels, size = config.image_size;
  conv_in = nets::Place(*this, "conv_in", MakeConv(3, width, size));
  down.resize(config.first_stage_mult.size());
  for (size_t i = 0; i < down.size(); ++i) {
    const int64_t out = config.first_stage_channels * config.first_stage_mult[i];
    for (int64_t j = 0; j < config.first_stage_blocks; ++j) {
      const std::string name = Numbered("down", i, "block." + std::to_string(j));
      down[i].blocks.push_back(nets::Place(*this, name, VqBlock(width, out, size)));
      width = out;
    }
    if (i + 1 < down.size()) {
      down[i].downsample =
          nets::Place(*this, Numbered("down", i, "downsample.conv"),
                      nets::Conv(nets::ConvShape{width, width, 3, 2, 0, size + 1}));
      size /= 2;
    }
  }
  mid = nets::Place(*this, "mid", VqMiddle(width, size));
  norm_out = nets::Place(*this, "norm_out", MakeNorm(width));
  conv_out = nets::Place(*this, "conv_out", MakeConv(width, config.latent_channels, size));
}

Tensor VqEncoderImpl::Down(size_t level, Tensor x) {
  for (VqBlock& block : down[level].blocks) x = block(x);
  if (down[level].downsample.is_empty()) return x;
  x = functional::pad(x, functional::PadFuncOptions({0, 1, 0, 1}));  // right and bottom only
  return down[level].downsample(x);
}

Tensor VqEncoderImpl::forward(const Tensor& image) {
  Tensor x = conv_in(image);                                // [B, C0, R, R]
  for (size_t i = 0; i < down.size(); ++i) x = Down(i, x);  // [B, Ci, R / 2^i, R / 2^i]
  x = mid(x);                                               // [B, Cn, L, L]
  return conv_out(norm_out(x));                             // [B, Z, L, L]
}

VqDecoderImpl::VqDecoderImpl(const Config& config) {
  const int64_t first = config.decoder_channels();
  int64_t width = first * config.first_stage_mult.back(), size = config.latent_size();
  conv_in = nets::Place(*this, "conv_in", MakeConv(config.latent_channels, width, size));
  mid = nets::Place(*this, "mid", VqMiddle(width, size));
  up.resize(config.first_stage_mult.size());
  for (size_t i = up.size(); i-- > 0;) {
    const int64_t out = first * config.first_stage_mult[i];
    for (int64_t j = 0; j <= config.first_stage_blocks; ++j) {
      const std::string name = Numbered("up", i, "block." + std::to_string(j));
      up[i].blocks.push_back(nets::Place(*this, name, VqBlock(width, out, size)));
      width = out;
    }
    if (i == 0) break;
    up[i].upsample =
        nets::Place(*this, Numbered("up", i, "upsample"), nets::UpsampleConv(width, size));
    size *= 2;
  }
  norm_out = nets::Place(*this, "norm_out", MakeNorm(width));
  conv_out = nets::Place(*this, "conv_out", MakeConv(width, 3, size));
}

Tensor VqDecoderImpl::forward(const Tensor& z) {
  Tensor x = mid(conv_in(z));  // [B, Cn, L, L]
  for (size_t i = up.size(); i-- > 0;) {
    for (VqBlock& block : up[i].blocks) x = block(x);       // [B, Ci, R / 2^i, R / 2^i]
    if (!up[i].upsample.is_empty()) x = up[i].upsample(x);  // [B, Ci, R / 2^(i-1), ...]
  }
  return conv_out(norm_out(x));  // [B, 3, R, R]
}

QuantizerImpl::QuantizerImpl(const Config& config)
    : embedding(nets::Place(*this, "embedding",
                            torch::nn::Embedding(config.codes, config.latent_channels))) {}

Tensor QuantizerImpl::Indices(const Tensor& z) {
  const Tensor codes = embedding->weight;                                        // [K, Z]
  const Tensor cells = z.permute({0, 2, 3, 1}).flatten(1, 2).to(codes.dtype());  // [B, L L, Z]
  std::vector<Tensor> nearest;
  for (const Tensor& frame : cells.unbind(0)) {  // one by one: the distances are large
    // |z|^2 is the same for every code.
    const Tensor distances =
        torch::addmm(codes.square().sum(1), frame, codes.t(), 1, -2);  // [L L, K]
    nearest.push_back(distances.argmin(1));                            // [L L]
  }
  return torch::stack(nearest).view({z.size(0), z.size(2), z.size(3)});
}

Tensor QuantizerImpl::forward(const Tensor& z) {
  const Tensor codes = embedding(Indices(z.detach()));               // [B, L, L, Z]
  const Tensor nearest = codes.permute({0, 3, 1, 2}).to(z.dtype());  // [B, Z, L, L]
  return z + (nearest - z).detach();
}

FirstStageImpl::FirstStageImpl(const Config& config)
    : encoder(nets::Place(*this, "encoder", VqEncoder(config))),
      decoder(nets::Place(*this, "decoder", VqDecoder(config))),
      quantize(nets::Place(*this, "quantize", Quantizer(config))),
      quant_conv(nets::Place(
          *this, "quant_conv",
          MakePointConv(config.latent_channels, config.latent_channels, config.latent_size()))),
      post_quant_conv(nets::Place(
          *this, "post_quant_conv",
          MakePointConv(config.latent_channels, config.latent_channels, config.latent_size()))) {}

Tensor FirstStageImpl::Encode(const Tensor& image) {
  return quant_conv(encoder(image.to(quant_conv->weight.dtype()).contiguous()));
}

Tensor FirstStageImpl::DecodeCodes(const Tensor& z) {
  return decoder(post_quant_conv(z.to(post_quant_conv->weight.dtype())));
}

Tensor FirstStageImpl::Decode(const Tensor& z) { return DecodeCodes(quantize(z)); }

}  // namespace talkface::mftfg
