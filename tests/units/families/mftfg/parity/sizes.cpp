// SPDX-License-Identifier: MIT
#include "tests/units/families/mftfg/parity/sizes.h"

#include "models/core/error.h"

namespace talkface::parity {
namespace {

constexpr const char* kFirstStage = "param/first_stage_model.";
constexpr const char* kUnet = "param/model.diffusion_model.";

// How many of PREFIX0SUFFIX, PREFIX1SUFFIX, ... the file has.
int64_t Count(const Reference& reference, const std::string& prefix, const std::string& suffix) {
  int64_t count = 0;
  while (reference.Has(prefix + std::to_string(count) + suffix)) ++count;
  return count;
}

int64_t HeadChannels(const std::string& fact) {
  const std::string key = "'hc': ";
  const size_t found = fact.find(key);
  return std::stoll(found == std::string::npos ? fact : fact.substr(found + key.size()));
}

}  // namespace

void ReadFirstStageSizes(const Reference& reference, mftfg::Config* config) {
  const std::string down = std::string(kFirstStage) + "encoder.down.";
  config->first_stage_channels =
      reference.Size(std::string(kFirstStage) + "encoder.conv_in.weight", 0);
  config->first_stage_mult.clear();
  const int64_t levels = Count(reference, down, ".block.0.conv1.weight");
  for (int64_t i = 0; i < levels; ++i) {
    const std::string weight = down + std::to_string(i) + ".block.0.conv1.weight";
    config->first_stage_mult.push_back(reference.Size(weight, 0) / config->first_stage_channels);
  }
  config->first_stage_decoder_channels =
      reference.Size(std::string(kFirstStage) + "decoder.norm_out.weight", 0) /
      config->first_stage_mult.front();
  config->first_stage_blocks = Count(reference, down + "0.block.", ".conv1.weight");
  const std::string codes = std::string(kFirstStage) + "quantize.embedding.weight";
  config->codes = reference.Size(codes, 0);
  config->latent_channels = reference.Size(codes, 1);
}

void ReadUnetSizes(const Reference& reference, const std::string& fact, int64_t latent_size,
                   mftfg::Config* config) {
  const std::string blocks = std::string(kUnet) + "input_blocks.";
  config->unet_head_channels = HeadChannels(reference.Fact(fact));
  config->unet_channels = reference.Size(blocks + "0.0.weight", 0);
  config->latent_channels = reference.Size(std::string(kUnet) + "out.2.weight", 0);
  config->image_size = latent_size << (config->first_stage_mult.size() - 1);
  config->unet_mult.clear();
  bool first_of_level = true;
  for (int64_t i = 1;; ++i) {
    const std::string res = blocks + std::to_string(i) + ".0.in_layers.2.weight";
    const std::string halving = blocks + std::to_string(i) + ".0.op.weight";
    if (!reference.Has(res) && !reference.Has(halving)) break;
    if (reference.Has(res) && first_of_level)
      config->unet_mult.push_back(reference.Size(res, 0) / config->unet_channels);
    if (reference.Has(halving) && config->unet_mult.size() == 1) config->unet_blocks = i - 1;
    first_of_level = reference.Has(halving);
  }
}

mftfg::Config ReadModelSizes(const Reference& reference) {
  mftfg::Config config;
  config.wiring = mftfg::Wiring::kOfficial;
  config.window_frames = reference.Size("in/mfcc", 0);
  ReadFirstStageSizes(reference, &config);
  ReadUnetSizes(reference, "unet", reference.Size("in/x_T", 2), &config);
  config.au_hidden = reference.Size("param/audio2AU10_model.rnn.rnn.weight_hh_l0", 1);
  config.mask_channels = reference.Size("param/mask_model.main.0.weight", 0);
  config.mask_blocks = 0;
  config.tacn_channels.clear();
  constexpr int64_t kMostLayers = 100;
  for (int64_t i = 0; i < kMostLayers; ++i) {
    const std::string index = std::to_string(i);
    if (reference.Has("param/mask_model.main." + index + ".main.0.weight")) ++config.mask_blocks;
    const std::string tacn = "param/model.tacn.network." + index + ".conv1.weight_v";
    if (reference.Has(tacn)) config.tacn_channels.push_back(reference.Size(tacn, 0));
  }
  return config;
}

}  // namespace talkface::parity
