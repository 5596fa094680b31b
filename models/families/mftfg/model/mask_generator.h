// SPDX-License-Identifier: MIT
// Where in a face speech acts: the mask that splits it into audio-face and identity-face.
#pragma once

#include <torch/torch.h>

#include "models/families/mftfg/config.h"

namespace talkface::mftfg {

struct MaskOutput {
  torch::Tensor picture;  // [N, 3, H, W], -1..1: GANimation's colour head; the pipeline has no use
  torch::Tensor mask;     // [N, 1, H, W], 0..1: 1 keeps the identity, 0 belongs to the audio
};

// conv - norm - ReLU - conv - norm, added to its input. x [N, C, h, w] -> the same.
class MaskBlockImpl : public torch::nn::Module {
 public:
  explicit MaskBlockImpl(int64_t channels);
  torch::Tensor forward(const torch::Tensor& x);
  torch::nn::Sequential main;
};
TORCH_MODULE(MaskBlock);

// GANimation's generator (Pumarola et al. 2018), conditioned on action units: two halvings,
// residual blocks, two doublings, and a head each for colour and mask.
//   image [N, 3, H, W] in -1..1, units [N, 5] in 0..5 -> MaskOutput; H and W are multiples of 4
// The units are planes beside the picture: as they are (official), or 0..1 (corrected).
class MaskGeneratorImpl : public torch::nn::Module {
 public:
  explicit MaskGeneratorImpl(const Config& config);
  // The first layer's input, [N, 8, H, W].
  torch::Tensor Input(const torch::Tensor& image, const torch::Tensor& units) const;
  MaskOutput forward(const torch::Tensor& image, const torch::Tensor& units);

  torch::nn::Sequential main, img_reg, attetion_reg;  // spelt as in the official checkpoints

 private:
  double unit_scale_;
};
TORCH_MODULE(MaskGenerator);

struct FaceParts {
  torch::Tensor audio_face;     // reference x (1 - mask): what speech moves
  torch::Tensor identity_face;  // reference x mask: what it does not
};

// reference [N, 3, H, W] in -1..1, mask [N or 1, 1, H, W] -> parts like the reference. Official:
// times 255, although the first stage that encodes them next knows -1..1 only.
FaceParts SplitFace(const torch::Tensor& reference, const torch::Tensor& mask, Wiring wiring);

}  // namespace talkface::mftfg
