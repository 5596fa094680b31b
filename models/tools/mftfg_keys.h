// SPDX-License-Identifier: MIT
// Every tensor of the paper's model by its official name (docs/mftfg.md), and the sizes that a
// checkpoint's shapes tell.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace talkface::checkpoint {

using Shape = std::vector<int64_t>;
using Shapes = std::map<std::string, Shape>;

// Fields of the manifest's section "mftfg", by their names there. The defaults are the official
// full-size model.
struct MftfgSizes {
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
  int64_t codes = 8192;
  int64_t unet_channels = 256;
  std::vector<int64_t> unet_mult = {1, 2, 3, 4};
  int64_t unet_blocks = 2;
  int64_t unet_head_channels = 32;  // no shape tells it

  int64_t latent_size() const { return image_size >> (first_stage_mult.size() - 1); }
  // Cells that "newmodel" adds to each side of the latents so that every level of the U-Net halves
  // evenly; 2 for the official 28.
  int64_t unet_border() const {
    const int64_t step = int64_t{1} << (unet_mult.size() - 1);
    return (step - latent_size() % step) % step / 2;
  }
};

// What the official code's modules hold. All are float32 but the scalars num_batches_tracked.
Shapes LatentDiffusionShapes(const MftfgSizes& sizes);  // without attention keys and values
Shapes AttentionShapes(const MftfgSizes& sizes);        // these: ...to_k.weight, ...to_v.weight
Shapes Audio2AuShapes(const MftfgSizes& sizes);
Shapes MaskGeneratorShapes(const MftfgSizes& sizes);

// The tensors of the official modules that are the same as others under a second name: TACN's
// convolutions, "net.0" (conv1) and "net.4" (conv2). Returns the first name, or `name` itself.
std::string CanonicalName(const std::string& name);

// The action units that have an Audio2AU net, in the order of their features.
constexpr int kAudio2Aus[] = {10, 14, 20, 25, 26};
// "audio2AU10_model.", the official variable's name.
std::string Audio2AuPrefix(int unit);
constexpr const char* kMaskPrefix = "mask_model.";

}  // namespace talkface::checkpoint
