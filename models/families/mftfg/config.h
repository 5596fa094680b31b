// SPDX-License-Identifier: MIT
// The "mftfg" section of a manifest: sizes and wiring of the paper's model (docs/mftfg.md). The
// defaults are the official full-size model's sizes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/core/pack.h"

namespace talkface::mftfg {

// Two ways to wire the same modules.
enum class Wiring {
  kOfficial,   // what the official inference computes, bugs and all: parity, imported weights
  kCorrected,  // what the paper means, with one still portrait: packs of our own
};

constexpr int64_t kLandmarks = 39;             // rows of the 68 that the landmark encoder sees
constexpr int64_t kActionUnits = 5;            // 10, 14, 20, 25, 26
constexpr int64_t kOfficialHeadFeatures = 14;  // d_k and d_v of TACN's attention
constexpr int64_t kUnitFeatures = 64, kLandmarkFeatures = 64, kFaceFeatures = 4;

struct Config {
  Wiring wiring = Wiring::kCorrected;
  int64_t window_frames = 50;
  int64_t image_size = 112;
  int64_t au_hidden = 128;
  int64_t mask_channels = 64;
  int64_t mask_blocks = 6;
  std::vector<int64_t> tacn_channels = {512, 1024};
  int64_t attention_heads = 4;
  int64_t latent_channels = 3;
  int64_t first_stage_channels = 128;
  std::vector<int64_t> first_stage_mult = {1, 2, 4};
  int64_t first_stage_blocks = 2;
  int64_t first_stage_decoder_channels = 0;
  int64_t codes = 8192;
  int64_t unet_channels = 256;
  std::vector<int64_t> unet_mult = {1, 2, 3, 4};
  int64_t unet_blocks = 2;
  int64_t unet_head_channels = 32;
  int64_t sampler_steps = 20;
  bool conditioned = true;

  // What follows from the fields.
  bool official() const { return wiring == Wiring::kOfficial; }
  int64_t latent_size() const { return image_size >> (first_stage_mult.size() - 1); }
  int64_t decoder_channels() const {
    return first_stage_decoder_channels > 0 ? first_stage_decoder_channels : first_stage_channels;
  }
  // Cells added to each side of the latents so that every level of the U-Net halves evenly.
  int64_t unet_border() const {
    const int64_t step = int64_t{1} << (unet_mult.size() - 1);
    return (step - latent_size() % step) % step / 2;
  }
  int64_t audio_features() const { return official() ? 8 : 64; }
  int64_t fused_features() const {
    return audio_features() + kFaceFeatures + kLandmarkFeatures + kActionUnits * kUnitFeatures;
  }
  // Of the U-Net's one context token: the official code uses the first 8 of the fused channels.
  int64_t context_features() const { return official() ? 8 : tacn_channels.back(); }
};

// Reads and checks the section; throws Error{kBadPack} naming the field, what is wanted and what
// was got.
Config ReadConfig(const Pack& pack);

// The section that reads as `config`.
nlohmann::json SettingsOf(const Config& config);

// The section's fields as the rows of a Markdown table: name, default, range, meaning
// (docs/mftfg.md holds them, and a test that it does).
std::string ConfigTable();

}  // namespace talkface::mftfg
