// SPDX-License-Identifier: MIT
#include "models/families/mftfg/model/unet.h"

#include <cmath>
#include <string>
#include <utility>

#include "models/core/error.h"

namespace talkface::mftfg {
namespace {

using torch::Tensor;

constexpr double kUnetEpsilon = 1e-5;
constexpr double kLongestPeriod = 10000;
constexpr int64_t kInputs = 3;  // noisy, masked picture, identity

std::string Numbered(const char* list, size_t block, size_t layer) {
  return std::string(list) + "." + std::to_string(block) + "." + std::to_string(layer);
}

}  // namespace

Tensor TimestepEmbedding(const Tensor& t, int64_t channels) {
  const int64_t half = channels / 2;
  const auto options = torch::TensorOptions(torch::kFloat32).device(t.device());
  const Tensor frequencies =
      torch::exp(-std::log(kLongestPeriod) * torch::arange(half, options) / half);  // [half]
  const Tensor angles = t.to(torch::kFloat32).unsqueeze(1) * frequencies;           // [B, half]
  return torch::cat({angles.cos(), angles.sin()}, 1);                               // [B, channels]
}

ResBlockImpl::ResBlockImpl(int64_t in, int64_t out, int64_t time_features, int64_t size)
    : in_norm(
          nets::Place(*this, "in_layers.0", nets::Norm(in, kUnetEpsilon, nets::Activation::kSilu))),
      out_norm(nets::Place(*this, "out_layers.0",
                           nets::Norm(out, kUnetEpsilon, nets::Activation::kSilu))),
      in_conv(
          nets::Place(*this, "in_layers.2", nets::Conv(nets::ConvShape{in, out, 3, 1, 1, size}))),
      out_conv(
          nets::Place(*this, "out_layers.3", nets::Conv(nets::ConvShape{out, out, 3, 1, 1, size}))),
      time_dense(nets::Place(*this, "emb_layers.1", nets::Dense(time_features, out))) {
  if (in != out)
    skip_connection =
        nets::Place(*this, "skip_connection", nets::Conv(nets::ConvShape{in, out, 1, 1, 0, size}));
}

Tensor ResBlockImpl::forward(const Tensor& x, const Tensor& time) {
  const Tensor shift = time_dense(torch::silu(time));                       // [B or 1, out]
  const Tensor h = out_norm(in_conv->Shift(in_norm(x), shift));             // [B, out, H, W]
  const Tensor skip = skip_connection.is_empty() ? x : skip_connection(x);  // [B, out, H, W]
  return out_conv->Add(h, skip);                                            // [B, out, H, W]
}

UnetImpl::UnetImpl(const Config& config)
    : config_(config),
      width_(config.unet_channels),
      size_(config.latent_size() + 2 * config.unet_border()) {
  const int64_t first = config.unet_channels, inputs = kInputs * config.latent_channels;
  const int64_t margin = config.unet_border(), latent = config.latent_size();
  time_in = nets::Place(*this, "time_embed.0", nets::Dense(first, 4 * first));
  time_out = nets::Place(*this, "time_embed.2", nets::Dense(4 * first, 4 * first));
  border = nets::Place(*this, "newmodel.0",
                       nets::Conv(nets::ConvShape{inputs, inputs, 1, 1, margin, latent}));
  std::vector<int64_t> skips;
  BuildInput(&skips);
  BuildMiddle();
  BuildOutput(std::move(skips));
  unborder = nets::Place(*this, "newmodel2.0",
                         nets::Conv(nets::ConvShape{first, first, 2 * margin + 1, 1, 0, size_}));
  out_norm = nets::Place(*this, "out.0", nets::Norm(first, kUnetEpsilon, nets::Activation::kSilu));
  out_conv = nets::Place(
      *this, "out.2", nets::Conv(nets::ConvShape{first, config.latent_channels, 3, 1, 1, latent}));
}

void UnetImpl::AddTransformer(const std::string& name, UnetStage* stage) {
  stage->transformer =
      nets::Place(*this, name,
                  SpatialTransformer(width_, config_.context_features(), config_.unet_head_channels,
                                     size_, transformers_.size()));
  transformers_.push_back(stage->transformer);
}

// Appends the width of each block's result, for the skips.
void UnetImpl::BuildInput(std::vector<int64_t>* skips) {
  const int64_t inputs = kInputs * config_.latent_channels;
  const char* list = "input_blocks";
  const auto add = [&](UnetStage stage) {
    input_blocks.push_back(std::move(stage));
    skips->push_back(width_);
  };
  UnetStage first;
  first.conv = nets::Place(*this, Numbered(list, 0, 0),
                           nets::Conv(nets::ConvShape{inputs, width_, 3, 1, 1, size_}));
  add(first);
  for (size_t level = 0; level < config_.unet_mult.size(); ++level) {
    for (int64_t i = 0; i < config_.unet_blocks; ++i) {
      const size_t block = input_blocks.size();
      const int64_t out = config_.unet_channels * config_.unet_mult[level];
      UnetStage stage;
      stage.res = nets::Place(*this, Numbered(list, block, 0),
                              ResBlock(width_, out, 4 * config_.unet_channels, size_));
      width_ = out;
      if (level > 0) AddTransformer(Numbered(list, block, 1), &stage);
      add(stage);
    }
    if (level + 1 == config_.unet_mult.size()) break;
    UnetStage halving;
    halving.conv = nets::Place(*this, Numbered(list, input_blocks.size(), 0) + ".op",
                               nets::Conv(nets::ConvShape{width_, width_, 3, 2, 1, size_}));
    size_ /= 2;
    add(halving);
  }
}

void UnetImpl::BuildMiddle() {
  const int64_t time_features = 4 * config_.unet_channels;
  UnetStage first, second;
  first.res = nets::Place(*this, "middle_block.0", ResBlock(width_, width_, time_features, size_));
  AddTransformer("middle_block.1", &first);
  second.res = nets::Place(*this, "middle_block.2", ResBlock(width_, width_, time_features, size_));
  middle_block = {first, second};
}

void UnetImpl::BuildOutput(std::vector<int64_t> skips) {
  const char* list = "output_blocks";
  for (size_t level = config_.unet_mult.size(); level-- > 0;) {
    for (int64_t i = 0; i <= config_.unet_blocks; ++i) {
      const size_t block = output_blocks.size();
      const int64_t out = config_.unet_channels * config_.unet_mult[level];
      UnetStage stage;
      stage.res =
          nets::Place(*this, Numbered(list, block, 0),
                      ResBlock(width_ + skips.back(), out, 4 * config_.unet_channels, size_));
      skips.pop_back();
      width_ = out;
      if (level > 0) AddTransformer(Numbered(list, block, 1), &stage);
      if (level > 0 && i == config_.unet_blocks) {
        stage.upsample =
            nets::Place(*this, Numbered(list, block, 2), nets::UpsampleConv(width_, size_));
        size_ *= 2;
      }
      output_blocks.push_back(stage);
    }
  }
}

void UnetImpl::CheckSize(const Tensor& x) const {
  const int64_t step = int64_t{1} << (config_.unet_mult.size() - 1);
  const int64_t margin = 2 * config_.unet_border();
  if ((x.size(2) + margin) % step == 0 && (x.size(3) + margin) % step == 0) return;
  throw Error(Code::kInvalid, "The U-Net got latents of " + std::to_string(x.size(3)) + "x" +
                                  std::to_string(x.size(2)) + "; with its border of " +
                                  std::to_string(margin / 2) + " they must be multiples of " +
                                  std::to_string(step) + ".");
}

Tensor UnetImpl::EmbedTime(const Tensor& t) {
  const Tensor sinusoids = TimestepEmbedding(t, config_.unet_channels);          // [B, M]
  return time_out(torch::silu(time_in(sinusoids.to(time_in->weight.dtype()))));  // [B, E]
}

Guidance UnetImpl::Attend(const Tensor& context) const {
  const Tensor used = context.narrow(2, 0, config_.context_features());  // [B, S, D]
  return {used.to(time_in->weight.dtype()), {}};
}

Guidance UnetImpl::Fold(const Tensor& context) {
  const Tensor token = Attend(context).tokens;
  if (token.size(1) != 1) {
    throw Error(Code::kInvalid, "The U-Net's context has " + std::to_string(token.size(1)) +
                                    " tokens a frame; only one can be folded.");
  }
  Guidance guidance;
  for (SpatialTransformer& transformer : transformers_)
    guidance.folded.push_back(transformer->block->attn2->Fold(token));
  return guidance;
}

Tensor UnetImpl::RunStage(UnetStage& stage, Tensor x, const Tensor& time,
                          const Guidance& guidance) {
  if (!stage.conv.is_empty()) x = stage.conv(x);
  if (!stage.res.is_empty()) x = stage.res(x, time);
  if (!stage.transformer.is_empty()) x = stage.transformer(x, guidance);
  if (!stage.upsample.is_empty()) x = stage.upsample(x);
  return x;
}

Tensor UnetImpl::forward(const Tensor& x, const Tensor& t, const Guidance& guidance) {
  CheckSize(x);
  const Tensor time = EmbedTime(t);                 // [B or 1, E]
  Tensor h = border(x.to(border->weight.dtype()));  // [B, 3 Z, L + 2 m, L + 2 m]
  std::vector<Tensor> skips;
  for (UnetStage& stage : input_blocks) {
    h = RunStage(stage, h, time, guidance);
    skips.push_back(h);
  }
  for (UnetStage& stage : middle_block) h = RunStage(stage, h, time, guidance);
  for (UnetStage& stage : output_blocks) {
    h = RunStage(stage, torch::cat({h, skips.back()}, 1), time, guidance);
    skips.pop_back();
  }
  h = unborder(h);  // [B, M, L, L]
  return out_conv(out_norm(h)).to(torch::promote_types(x.scalar_type(), torch::kFloat32));
}

}  // namespace talkface::mftfg
