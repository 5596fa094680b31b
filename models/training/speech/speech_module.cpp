// SPDX-License-Identifier: MIT
#include "models/training/speech/speech_module.h"

#include <algorithm>
#include <cmath>

#include "models/core/safetensors.h"
#include "models/speech/log_mel.h"
#include "models/training/speech/speech_reference.h"

namespace talkface::training {
namespace {

namespace nn = torch::nn;
using speech::kMelBands;
namespace functional = torch::nn::functional;
constexpr double kNormEpsilon = 1e-5;  // libtorch's

// "gru.weight_ih_l0" is "gru.weight_ih" in a file.
std::string FileName(std::string parameter) {
  const size_t layer = parameter.find("_l0");
  if (layer != std::string::npos) parameter.erase(layer);
  return parameter;
}

bool IsNorm(const std::string& parameter) { return parameter.rfind("norm", 0) == 0; }

// norm(conv(x)) is a convolution too: weight and bias by output channel.
std::map<std::string, torch::Tensor> FoldedWeights(SpeechModule& module) {
  std::map<std::string, torch::Tensor> weights, stored;
  for (const auto& parameter : module->named_parameters())
    stored[parameter.key()] = parameter.value();
  for (const auto& buffer : module->named_buffers()) stored[buffer.key()] = buffer.value();
  for (const auto& parameter : module->named_parameters())
    if (!IsNorm(parameter.key())) weights[FileName(parameter.key())] = parameter.value().clone();
  for (const char* layer : {"0", "1", "2"}) {
    const std::string conv = std::string("conv") + layer, norm = std::string("norm") + layer;
    const torch::Tensor gain =
        stored[norm + ".weight"] / (stored[norm + ".running_var"] + kNormEpsilon).sqrt();
    weights[conv + ".weight"] *= gain.view({-1, 1, 1});
    weights[conv + ".bias"] =
        (weights[conv + ".bias"] - stored[norm + ".running_mean"]) * gain + stored[norm + ".bias"];
  }
  return weights;
}

std::vector<float> ToVector(const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

torch::Tensor PadPast(const torch::Tensor& x, int64_t frames) {
  return functional::pad(x, functional::PadFuncOptions({frames, 0}));
}

}  // namespace

SpeechModuleImpl::SpeechModuleImpl(const SpeechModuleOptions& options)
    : conv0_(nn::Conv1dOptions(kMelBands, options.channels, 4).stride(auwarp::kFramesPerStep)),
      conv1_(nn::Conv1dOptions(options.channels, options.channels, 3)),
      conv2_(nn::Conv1dOptions(options.channels, options.channels, 3).dilation(2)),
      norm0_(options.channels),
      norm1_(options.channels),
      norm2_(options.channels),
      gru_(nn::GRUOptions(options.channels, options.hidden).batch_first(true)),
      head_(options.hidden, auwarp::kDelays * auwarp::kOutputs),
      phones_(options.hidden, auwarp::kDelays * auwarp::kPhones),
      dropout_(options.dropout) {
  register_module("conv0", conv0_);
  register_module("conv1", conv1_);
  register_module("conv2", conv2_);
  register_module("norm0", norm0_);
  register_module("norm1", norm1_);
  register_module("norm2", norm2_);
  register_module("gru", gru_);
  register_module("head", head_);
  register_module("phones", phones_);
  register_module("dropout", dropout_);
}

SpeechModuleImpl::Output SpeechModuleImpl::forward(const torch::Tensor& mel) {
  torch::Tensor x = mel.transpose(1, 2);                         // [B, 40, 2 S]
  x = torch::relu(norm0_(conv0_(PadPast(x, 2))));                // [B, C, S]
  x = x + dropout_(torch::relu(norm1_(conv1_(PadPast(x, 2)))));  // [B, C, S]
  x = x + dropout_(torch::relu(norm2_(conv2_(PadPast(x, 4)))));  // [B, C, S]
  x = std::get<0>(gru_(dropout_(x.transpose(1, 2))));            // [B, S, G]
  x = dropout_(x);
  return {head_(x).unflatten(2, {auwarp::kDelays, auwarp::kOutputs}),
          phones_(x).unflatten(2, {auwarp::kDelays, auwarp::kPhones})};
}

void WriteSpeechWeights(const std::string& path, std::vector<SpeechModule>& members,
                        const SpeechConstants& constants) {
  const torch::NoGradGuard no_gradients;
  std::map<std::string, TensorSource> tensors = {
      {"typical_mel", {DType::kF32, {kMelBands}, constants.typical_mel.data()}},
      {"scale", {DType::kF32, {auwarp::kOutputs}, constants.scale.data()}}};
  std::shared_ptr<const SafeTensors> voice;
  if (!constants.voice.empty()) {
    voice = SafeTensors::Open(constants.voice);
    // Its Fourier transform is computed, not stored.
    for (const auto& [name, view] : voice->tensors())
      if (name.rfind("stft", 0) != 0)
        tensors["voice." + name] = {view.dtype, view.shape, view.data};
  }
  std::map<std::string, std::vector<torch::Tensor>> by_member;
  for (SpeechModule& member : members)
    for (auto& [name, value] : FoldedWeights(member)) by_member[name].push_back(value);
  std::vector<torch::Tensor> held;
  for (const auto& [name, values] : by_member) {
    held.push_back(torch::stack(values).to(torch::kFloat32).contiguous());
    tensors[name] = {DType::kF32, held.back().sizes().vec(), held.back().data_ptr<float>()};
  }
  WriteSafeTensors(path, tensors, {{"net", "auwarp speech 3"}});
}

namespace {

// The `place`-th member of a file, as the file's folded weights stand.
SpeechModule ReadMember(const SafeTensors& file, speech::EnsemblePlace place) {
  SpeechModuleOptions options;
  options.channels = static_cast<int>(file.Get("conv0.weight").shape[1]);
  options.hidden = static_cast<int>(file.Get("gru.weight_hh").shape[2]);
  SpeechModule module(options);
  module->eval();
  // A new norm's running mean is 0 and its variance 1.
  for (auto& norm : {"norm0", "norm1", "norm2"}) {
    torch::Tensor gain = module->named_parameters()[std::string(norm) + ".weight"];
    gain.fill_(std::sqrt(1 + kNormEpsilon));
  }
  for (auto& parameter : module->named_parameters()) {
    if (IsNorm(parameter.key())) continue;
    torch::Tensor& value = parameter.value();
    std::vector<int64_t> shape = value.sizes().vec();
    shape.insert(shape.begin(), place.members);
    const float* from =
        file.Floats(FileName(parameter.key()), shape) + place.member * value.numel();
    std::copy(from, from + value.numel(), value.data_ptr<float>());
  }
  return module;
}

}  // namespace

TorchOutput RunSpeechByTorch(const std::string& weights, const std::vector<float>& mel) {
  const torch::NoGradGuard no_gradients;
  const auto file = SafeTensors::Open(weights);
  const int members = auwarp::SpeechMember::CountIn(*file);
  const int64_t frames = static_cast<int64_t>(mel.size()) / kMelBands;
  const torch::Tensor input = torch::tensor(mel).view({1, frames, kMelBands});
  const float* scale = file->Floats("scale", {auwarp::kOutputs});
  const torch::Tensor scales = torch::tensor(at::ArrayRef<float>(scale, auwarp::kOutputs));
  torch::Tensor motion = torch::zeros({}), phones = torch::zeros({});
  for (int m = 0; m < members; ++m) {
    SpeechModule member = ReadMember(*file, {m, members});
    const SpeechModuleImpl::Output out = member->forward(input);
    motion = motion + out.motion * scales / members;
    phones = phones + torch::softmax(out.phones, -1) / members;
  }
  return {ToVector(motion), ToVector(phones)};
}

}  // namespace talkface::training
