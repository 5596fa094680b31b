// SPDX-License-Identifier: MIT
// The speech net (models/auwarp/speech_net.h) for training: the same layers in libtorch, whole
// sequences at once.
#pragma once

#include <torch/torch.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "models/auwarp/speech_net.h"

namespace talkface::training {

struct SpeechModuleOptions {
  int channels = 96;
  int hidden = 128;
  double dropout = 0.2;
};

class SpeechModuleImpl : public torch::nn::Module {
 public:
  explicit SpeechModuleImpl(const SpeechModuleOptions& options);
  // mel [B, 2 S, 40], normalised -> [B, S, delays, outputs], in spreads (TensorsOf's scale is not
  // applied).
  torch::Tensor forward(const torch::Tensor& mel);

 private:
  torch::nn::Conv1d conv0_, conv1_, conv2_;
  // Only for training: what they do to a trained net is folded into the convolutions.
  torch::nn::BatchNorm1d norm0_, norm1_, norm2_;
  torch::nn::GRU gru_;
  torch::nn::Linear head_;
  torch::nn::Dropout dropout_;
};
TORCH_MODULE(SpeechModule);

// Writes a speech.safetensors, batch norms folded into the convolutions. `scale` takes the outputs
// to Expression's units.
void WriteSpeechWeights(const std::string& path, SpeechModule& module,
                        const std::array<float, 40>& typical_mel,
                        const std::array<float, auwarp::kOutputs>& scale);

}  // namespace talkface::training
