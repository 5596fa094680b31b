// SPDX-License-Identifier: MIT
#include "models/training/checkpoint/mftfg_sizes.h"

#include "models/core/error.h"

namespace talkface::checkpoint {
namespace {

constexpr int64_t kMaxWidth = 1 << 16;
constexpr int64_t kMaxBlocks = 32, kMaxLevels = 6;

class Inference {
 public:
  explicit Inference(const Shapes& shapes) : shapes_(shapes) {}

  mftfg::Config Run() {
    sizes_.wiring = mftfg::Wiring::kOfficial;
    Unet();
    FirstStage();
    Fusion();
    sizes_.au_hidden = Size(Audio2AuPrefix(kAudio2Aus[0]) + "rnn.rnn.weight_hh_l0", 1);
    sizes_.mask_channels = Size(std::string(kMaskPrefix) + "main.0.weight", 0);
    sizes_.mask_blocks = Count(std::string(kMaskPrefix) + "main.", 9, ".main.0.weight", kMaxBlocks);
    return sizes_;
  }

 private:
  [[noreturn]] void Fail(const std::string& name, const std::string& what) const {
    throw Error(Code::kBadPack,
                "The checkpoint's sizes cannot be told: " + name + " " + what + ".");
  }
  bool Has(const std::string& name) const { return shapes_.count(name) != 0; }
  int64_t Size(const std::string& name, size_t axis) const {
    const auto found = shapes_.find(name);
    if (found == shapes_.end()) Fail(name, "is missing");
    if (axis >= found->second.size() || found->second[axis] < 1 || found->second[axis] > kMaxWidth)
      Fail(name, "has no usable shape");
    return found->second[axis];
  }
  // How many tensors PREFIX<first>SUFFIX, PREFIX<first + 1>SUFFIX ... there are.
  int64_t Count(const std::string& prefix, int64_t first, const std::string& suffix,
                int64_t most) const {
    int64_t count = 0;
    while (count <= most && Has(prefix + std::to_string(first + count) + suffix)) ++count;
    if (count > most) Fail(prefix + std::to_string(first) + suffix, "has too many like it");
    return count;
  }

  // Residual blocks up to each convolution "op" that halves the size make a level.
  void Unet() {
    const std::string unet = "model.diffusion_model.";
    sizes_.unet_channels = Size(unet + "input_blocks.0.0.weight", 0);
    sizes_.latent_channels = Size(unet + "out.2.weight", 0);
    sizes_.unet_mult.clear();
    int64_t blocks = 0;
    for (int64_t i = 1; i <= kMaxLevels * kMaxBlocks; ++i) {
      const std::string block = unet + "input_blocks." + std::to_string(i) + ".0.";
      const bool residual = Has(block + "in_layers.2.weight");
      if (residual && blocks++ == 0) {
        sizes_.unet_mult.push_back(Size(block + "in_layers.2.weight", 0) / sizes_.unet_channels);
      }
      if (residual) continue;
      sizes_.unet_blocks = blocks;
      blocks = 0;
      if (!Has(block + "op.weight")) break;
    }
    if (sizes_.unet_mult.empty() || sizes_.unet_mult.size() > kMaxLevels || sizes_.unet_blocks < 1)
      Fail(unet + "input_blocks", "make no U-Net");
  }

  void FirstStage() {
    const std::string down = "first_stage_model.encoder.down.";
    sizes_.first_stage_channels = Size("first_stage_model.encoder.conv_in.weight", 0);
    sizes_.codes = Size("first_stage_model.quantize.embedding.weight", 0);
    const int64_t levels = Count(down, 0, ".block.0.conv1.weight", kMaxLevels);
    if (levels == 0) Fail(down + "0.block.0.conv1.weight", "is missing");
    sizes_.first_stage_mult.clear();
    for (int64_t i = 0; i < levels; ++i) {
      const std::string conv = down + std::to_string(i) + ".block.0.conv1.weight";
      sizes_.first_stage_mult.push_back(Size(conv, 0) / sizes_.first_stage_channels);
    }
    sizes_.first_stage_blocks = Count(down + "0.block.", 0, ".conv1.weight", kMaxBlocks);
  }

  void Fusion() {
    const std::string network = "model.tacn.network.";
    sizes_.tacn_channels.clear();
    const int64_t blocks = Count(network, 0, ".conv1.bias", kMaxBlocks);
    for (int64_t i = 0; i < blocks; ++i)
      sizes_.tacn_channels.push_back(Size(network + std::to_string(i) + ".conv1.bias", 0));
    sizes_.window_frames = Size(network + "0.att.w_qs.weight", 1);
    sizes_.attention_heads = Size(network + "0.att.w_qs.weight", 0) / mftfg::kOfficialHeadFeatures;
    // fc1 takes a whole latent, which is a square.
    const int64_t pixels = Size("model.fc1.weight", 1) / sizes_.latent_channels;
    int64_t side = 1;
    while ((side + 1) * (side + 1) <= pixels) ++side;
    sizes_.image_size = side << (sizes_.first_stage_mult.size() - 1);
  }

  const Shapes& shapes_;
  mftfg::Config sizes_;
};

}  // namespace

mftfg::Config InferSizes(const Shapes& shapes) { return Inference(shapes).Run(); }

}  // namespace talkface::checkpoint
