// SPDX-License-Identifier: MIT
#include "models/tools/speech_module.h"

#include <algorithm>

#include "models/auwarp/speech_front_end.h"
#include "models/core/safetensors.h"
#include "models/tools/speech_reference.h"

namespace talkface::training {
namespace {

namespace nn = torch::nn;
using auwarp::kMelBands;
namespace functional = torch::nn::functional;

// "gru.weight_ih_l0" is "gru.weight_ih" in a file.
std::string FileName(std::string parameter) {
  const size_t layer = parameter.find("_l0");
  if (layer != std::string::npos) parameter.erase(layer);
  return parameter;
}

torch::Tensor PadPast(const torch::Tensor& x, int64_t frames) {
  return functional::pad(x, functional::PadFuncOptions({frames, 0}));
}

}  // namespace

SpeechModuleImpl::SpeechModuleImpl(const SpeechModuleOptions& options)
    : conv0_(nn::Conv1dOptions(kMelBands, options.channels, 4).stride(auwarp::kFramesPerStep)),
      conv1_(nn::Conv1dOptions(options.channels, options.channels, 3)),
      conv2_(nn::Conv1dOptions(options.channels, options.channels, 3).dilation(2)),
      gru_(nn::GRUOptions(options.channels, options.hidden).batch_first(true)),
      head_(options.hidden, auwarp::kDelays * auwarp::kOutputs),
      dropout_(options.dropout) {
  register_module("conv0", conv0_);
  register_module("conv1", conv1_);
  register_module("conv2", conv2_);
  register_module("gru", gru_);
  register_module("head", head_);
  register_module("dropout", dropout_);
}

torch::Tensor SpeechModuleImpl::forward(const torch::Tensor& mel) {
  torch::Tensor x = mel.transpose(1, 2);                 // [B, 40, 2 S]
  x = torch::relu(conv0_(PadPast(x, 2)));                // [B, C, S]
  x = x + dropout_(torch::relu(conv1_(PadPast(x, 2))));  // [B, C, S]
  x = x + dropout_(torch::relu(conv2_(PadPast(x, 4))));  // [B, C, S]
  x = std::get<0>(gru_(dropout_(x.transpose(1, 2))));    // [B, S, G]
  x = head_(dropout_(x));                                // [B, S, D x O]
  return x.unflatten(2, {auwarp::kDelays, auwarp::kOutputs});
}

void WriteSpeechWeights(const std::string& path, SpeechModule& module,
                        const std::array<float, 40>& typical_mel,
                        const std::array<float, auwarp::kOutputs>& scale) {
  std::map<std::string, torch::Tensor> held;
  std::map<std::string, TensorSource> tensors = {
      {"typical_mel", {DType::kF32, {kMelBands}, typical_mel.data()}},
      {"scale", {DType::kF32, {auwarp::kOutputs}, scale.data()}}};
  for (const auto& parameter : module->named_parameters()) {
    const std::string name = FileName(parameter.key());
    const torch::Tensor value = parameter.value().detach().to(torch::kFloat32).contiguous();
    held[name] = value;
    tensors[name] = {DType::kF32, value.sizes().vec(), value.data_ptr<float>()};
  }
  WriteSafeTensors(path, tensors, {{"net", "auwarp speech 1"}});
}

std::vector<float> RunSpeechByTorch(const std::string& weights, const std::vector<float>& mel) {
  const torch::NoGradGuard no_gradients;
  const auto file = SafeTensors::Open(weights);
  SpeechModuleOptions options;
  options.channels = static_cast<int>(file->Get("conv0.weight").shape[0]);
  options.hidden = static_cast<int>(file->Get("gru.weight_hh").shape[1]);
  SpeechModule module(options);
  module->eval();
  for (auto& parameter : module->named_parameters()) {
    torch::Tensor& value = parameter.value();
    const float* from = file->Floats(FileName(parameter.key()), value.sizes().vec());
    std::copy(from, from + value.numel(), value.data_ptr<float>());
  }
  const int64_t frames = static_cast<int64_t>(mel.size()) / kMelBands;
  const torch::Tensor input = torch::tensor(mel).view({1, frames, kMelBands});
  const float* scale = file->Floats("scale", {auwarp::kOutputs});
  const torch::Tensor scales = torch::tensor(at::ArrayRef<float>(scale, auwarp::kOutputs));
  const torch::Tensor out = (module->forward(input) * scales).contiguous();
  return std::vector<float>(out.data_ptr<float>(), out.data_ptr<float>() + out.numel());
}

}  // namespace talkface::training
