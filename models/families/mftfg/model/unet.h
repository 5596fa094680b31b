// SPDX-License-Identifier: MIT
// The denoiser e(x, t, c): the U-Net of Rombach et al. 2022 on a bordered map, as the paper's code
// wires it. Members are named as in the official checkpoints ("model.diffusion_model.").
//   B frames, Z latent channels, L latent size, M first width, E = 4 M, D context features
#pragma once

#include <torch/torch.h>

#include <vector>

#include "models/families/mftfg/config.h"
#include "models/families/mftfg/model/spatial_transformer.h"
#include "models/torch/layers.h"

namespace talkface::mftfg {

// Sinusoids of the diffusion times: t [B] -> [B, channels] = [cos(t w) | sin(t w)],
// w_i = 10000^(-i / half), float32.
torch::Tensor TimestepEmbedding(const torch::Tensor& t, int64_t channels);

// skip(x) + conv(silu(norm(conv(silu(norm(x))) + W silu(e)))).
//   x [B, in, H, W], time [B or 1, E] -> [B, out, H, W]
class ResBlockImpl : public torch::nn::Module {
 public:
  // `size` as in ConvShape.
  ResBlockImpl(int64_t in, int64_t out, int64_t time_features, int64_t size);
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& time);

  nets::Norm in_norm, out_norm;  // "in_layers.0", "out_layers.0"
  nets::Conv in_conv, out_conv;  // "in_layers.2", "out_layers.3"
  nets::Dense time_dense;        // "emb_layers.1"
  nets::Conv skip_connection{nullptr};
};
TORCH_MODULE(ResBlock);

// One numbered entry of input_blocks, middle_block or output_blocks: whichever of the members it
// has, in this order.
struct UnetStage {
  nets::Conv conv{nullptr};  // the first one, or a halving
  ResBlock res{nullptr};
  SpatialTransformer transformer{nullptr};
  nets::UpsampleConv upsample{nullptr};
};

class UnetImpl : public torch::nn::Module {
 public:
  explicit UnetImpl(const Config& config);
  // x [B, 3 Z, L, L] = [noisy latents | latents of the masked picture | identity latents],
  // t [B] or [1] (the same for all frames) -> e [B, Z, L, L], float32. L is the config's, or any
  // other size that the levels divide. Throws Error{kInvalid} otherwise.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& t, const Guidance& guidance);

  // What the transformers read out of the context [B, 1, F], F >= D, of which the first D features
  // are used. Does not depend on x or t: once a frame, for all steps.
  Guidance Fold(const torch::Tensor& context);
  // The same, to be read by attention in every call: the plain path. context [B, S, F].
  Guidance Attend(const torch::Tensor& context) const;

  torch::Tensor EmbedTime(const torch::Tensor& t);  // [B] -> [B, E]
  torch::Tensor RunStage(UnetStage& stage, torch::Tensor x, const torch::Tensor& time,
                         const Guidance& guidance);

  nets::Dense time_in{nullptr}, time_out{nullptr};  // "time_embed.0", "time_embed.2"
  // The official sizes (28) are no multiple of the U-Net's 8: a 1x1 convolution with padding makes
  // room ("newmodel.0": 28 -> 32), a wide one without padding takes it away before the end
  // ("newmodel2.0": 32 -> 28).
  nets::Conv border{nullptr}, unborder{nullptr};
  std::vector<UnetStage> input_blocks, middle_block, output_blocks;
  nets::Norm out_norm{nullptr};  // "out.0"
  nets::Conv out_conv{nullptr};  // "out.2"

 private:
  void BuildInput(std::vector<int64_t>* skips);
  void BuildMiddle();
  void BuildOutput(std::vector<int64_t> skips);
  void AddTransformer(const std::string& name, UnetStage* stage);
  void CheckSize(const torch::Tensor& x) const;

  Config config_;
  int64_t width_, size_;  // channels and cells a side of the map where the construction is
  std::vector<SpatialTransformer> transformers_;
};
TORCH_MODULE(Unet);

}  // namespace talkface::mftfg
