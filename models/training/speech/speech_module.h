// SPDX-License-Identifier: MIT
// A member of the speech net (models/families/auwarp/speech/speech_member.h) for training: the same
// layers in libtorch, whole sequences at once.
#pragma once

#include <torch/torch.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "models/families/auwarp/speech/speech_net.h"
#include "models/speech/log_mel.h"

namespace talkface::training {

struct SpeechModuleOptions {
  int channels = 96;
  int hidden = 128;
  double dropout = 0.2;
};

class SpeechModuleImpl : public torch::nn::Module {
 public:
  explicit SpeechModuleImpl(const SpeechModuleOptions& options);
  struct Output {
    torch::Tensor motion;  // [B, S, delays, outputs], in spreads (the file's scale is not applied)
    torch::Tensor phones;  // [B, S, delays, phones], logits
  };
  // mel [B, 2 S, 40], normalised.
  Output forward(const torch::Tensor& mel);

 private:
  torch::nn::Conv1d conv0_, conv1_, conv2_;
  // Only for training: what they do to a trained net is folded into the convolutions.
  torch::nn::BatchNorm1d norm0_, norm1_, norm2_;
  torch::nn::GRU gru_;
  torch::nn::Linear head_, phones_;
  torch::nn::Dropout dropout_;
};
TORCH_MODULE(SpeechModule);

// What stands in a speech.safetensors beside the trained weights.
struct SpeechConstants {
  std::array<float, speech::kMelBands> typical_mel;
  std::array<float, auwarp::kOutputs> scale;  // takes the outputs to Expression's units
  std::string voice;                          // silero-vad's safetensors file, or "" for none
};

// Writes a speech.safetensors, batch norms folded into the convolutions.
void WriteSpeechWeights(const std::string& path, std::vector<SpeechModule>& members,
                        const SpeechConstants& constants);

}  // namespace talkface::training
