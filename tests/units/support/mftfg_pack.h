// SPDX-License-Identifier: MIT
// A small model of random weights, and a pack of it.
#pragma once

#include <torch/torch.h>

#include <string>

#include "models/families/mftfg/model/model.h"
#include "models/training/checkpoint/mftfg_pack.h"

namespace talkface::mftfg {

// Latents of 8 cells; as narrow as the layers may be, so that a frame takes milliseconds.
inline Config SmallConfig(Wiring wiring) {
  Config config;
  config.wiring = wiring;
  config.window_frames = 10;
  config.image_size = 16;
  config.au_hidden = 4;
  config.mask_channels = 2;
  config.mask_blocks = 1;
  config.tacn_channels = {8, 16};
  config.attention_heads = 2;
  config.first_stage_channels = 32;
  config.first_stage_mult = {1, 1};
  config.first_stage_blocks = 1;
  config.codes = 64;
  config.unet_channels = 32;
  config.unet_mult = {1, 1};
  config.unet_blocks = 1;
  config.sampler_steps = 2;
  return config;
}

// The same weights every time. Nothing in them is trained, so what leads from speech to picture is
// made loud enough to be seen.
inline Model RandomModel(const Config& config) {
  torch::manual_seed(5);
  Model model(config);
  model->eval();
  const torch::NoGradGuard no_gradients;
  for (auto& entry : model->named_parameters()) {
    const std::string& name = entry.key();
    const auto has = [&name](const char* part) { return name.find(part) != std::string::npos; };
    if (has("attn2.to_v") || has("attn2.to_out") || has("first_stage_model.decoder.conv_out"))
      entry.value().mul_(6);
    if (has("quantize.embedding")) entry.value().normal_();
  }
  return model;
}

inline checkpoint::MftfgTensors TensorsOf(Model model, bool trained) {
  checkpoint::MftfgTensors tensors;
  tensors.sizes = model->config();
  tensors.trained = trained;
  const auto add = [&tensors](const std::string& name, const torch::Tensor& value) {
    const DType type = value.dtype() == torch::kInt64 ? DType::kI64 : DType::kF32;
    tensors.model[name] = {type, value.sizes().vec(), value.const_data_ptr(), {}};
  };
  for (const auto& entry : model->named_parameters()) add(entry.key(), entry.value());
  for (const auto& entry : model->named_buffers()) add(entry.key(), entry.value());
  return tensors;
}

inline void WriteRandomPack(const std::string& folder, const Config& config, bool trained) {
  const Model model = RandomModel(config);
  checkpoint::WriteMftfgPack(TensorsOf(model, trained), {folder, "MIT"}, [](uint64_t) {});
}

}  // namespace talkface::mftfg
