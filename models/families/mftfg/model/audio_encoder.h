// SPDX-License-Identifier: MIT
// Speech features of each video frame (AudioNet and AudioAttNet of the official code, which are
// those of AD-NeRF, Guo et al. 2021, section 3.2).
#pragma once

#include <torch/torch.h>

#include "models/families/mftfg/config.h"

namespace talkface::mftfg {

// The MFCC of one frame to a vector: 12 rows in time order of 25 columns, as the official code has
// it: the columns are the convolutions' channels.
//   mfcc [N, 12, 25] -> [N, 64]
class AudioNetImpl : public torch::nn::Module {
 public:
  AudioNetImpl();
  torch::Tensor forward(const torch::Tensor& mfcc);

  torch::nn::Sequential encoder_conv, encoder_fc1;  // named as in the official checkpoints
};
TORCH_MODULE(AudioNet);

// Self-attention over 8 steps: a weight a step, by convolutions along the steps, and the mean so
// weighted.
//   steps [N, 8, D], valid [N, 8] or none -> [N, D]
// Official: the steps are 8 pieces of 8 numbers of one frame's vector (D = 8). Corrected: 8
// neighbouring frames (D = 64).
class AudioAttNetImpl : public torch::nn::Module {
 public:
  static constexpr int64_t kSteps = 8;
  explicit AudioAttNetImpl(int64_t features);
  torch::Tensor Weights(const torch::Tensor& steps, const torch::Tensor& valid);  // [N, 1, 8]
  torch::Tensor forward(const torch::Tensor& steps, const torch::Tensor& valid = {});

  torch::nn::Sequential attentionConvNet, attentionNet;
};
TORCH_MODULE(AudioAttNet);

// Both, for windows of frames.
//   mfcc [B, T, 12, 25], valid [B, T] bool or none (all) -> [B, T, A], A = Config::audio_features()
// Corrected: a frame hears itself, 4 frames before and 3 after it, as far as they are valid.
class AudioEncoderImpl : public torch::nn::Module {
 public:
  explicit AudioEncoderImpl(const Config& config);
  torch::Tensor forward(const torch::Tensor& mfcc, const torch::Tensor& valid = {});

  AudioNet net;           // "cond_stage_model_for_audio"
  AudioAttNet attention;  // "cond_stage_model_for_audio_smooth"

 private:
  torch::Tensor AttendFrames(const torch::Tensor& frames, const torch::Tensor& valid);
  bool official_;
};
TORCH_MODULE(AudioEncoder);

}  // namespace talkface::mftfg
