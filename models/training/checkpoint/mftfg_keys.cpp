// SPDX-License-Identifier: MIT
#include "models/training/checkpoint/mftfg_keys.h"

#include <iterator>
#include <utility>

namespace talkface::checkpoint {
namespace {

constexpr int64_t kUnetInputs = 3;       // latents, mask's latents, identity's latents
constexpr int64_t kOfficialContext = 8;  // fused channels that the U-Net sees
constexpr int64_t kAudioFeatures = 8, kFaceFeatures = 4, kLandmarkFeatures = 64;
constexpr int64_t kUnitFeatures = 64;
constexpr int64_t kFaceHidden = 112;

// Collects tensors below a prefix.
class Names {
 public:
  Names(Shapes* shapes, std::string prefix) : shapes_(*shapes), prefix_(std::move(prefix)) {}
  Names Below(const std::string& name) const { return {&shapes_, prefix_ + name + "."}; }
  void Tensor(const std::string& name, Shape shape) const { shapes_[prefix_ + name] = shape; }

  // A layer's weight, and its bias of one number an output.
  void Layer(const std::string& name, const Shape& weight) const {
    Tensor(name + ".weight", weight);
    Tensor(name + ".bias", {weight[0]});
  }
  void Norm(const std::string& name, int64_t channels) const { Layer(name, {channels}); }
  void Conv(const std::string& name, int64_t out, int64_t in, int64_t size) const {
    Layer(name, {out, in, size, size});
  }

 private:
  Shapes& shapes_;
  std::string prefix_;
};

std::string Number(int64_t number) { return std::to_string(number); }

// The U-Net's blocks in the order of openaimodel.py. Calls `residual` and `transformer` of its
// subclasses; one walks for the weights, one for the keys and values.
class UnetWalk {
 public:
  UnetWalk(const mftfg::Config& sizes, Shapes* shapes)
      : sizes_(sizes), unet_(shapes, "model.diffusion_model.") {}
  virtual ~UnetWalk() = default;

  void Run() {
    const int64_t first = sizes_.unet_channels;
    Ends(first);
    std::vector<int64_t> skips = {first};
    int64_t channels = first, block = 1;
    const size_t levels = sizes_.unet_mult.size();
    for (size_t level = 0; level < levels; ++level) {
      for (int64_t i = 0; i < sizes_.unet_blocks; ++i, ++block) {
        const int64_t out = first * sizes_.unet_mult[level];
        Block(unet_.Below("input_blocks." + Number(block)), channels, out, level > 0);
        skips.push_back(channels = out);
      }
      if (level + 1 == levels) break;
      Resample(unet_.Below("input_blocks." + Number(block++) + ".0"), "op", channels);
      skips.push_back(channels);
    }
    Residual(unet_.Below("middle_block.0"), channels, channels);
    Transformer(unet_.Below("middle_block.1"), channels);
    Residual(unet_.Below("middle_block.2"), channels, channels);
    block = 0;
    for (size_t level = levels; level-- > 0;) {
      for (int64_t i = 0; i <= sizes_.unet_blocks; ++i, ++block) {
        const int64_t out = first * sizes_.unet_mult[level];
        const Names names = unet_.Below("output_blocks." + Number(block));
        Block(names, channels + skips.back(), out, level > 0);
        skips.pop_back();
        channels = out;
        if (level > 0 && i == sizes_.unet_blocks) Resample(names.Below("2"), "conv", channels);
      }
    }
  }

 protected:
  virtual void Ends(int64_t first) {}
  virtual void Residual(const Names& names, int64_t in, int64_t out) {}
  virtual void Resample(const Names& names, const char* conv, int64_t channels) {}
  virtual void Transformer(const Names& names, int64_t channels) = 0;
  const mftfg::Config& sizes_;
  Names unet_;

 private:
  void Block(const Names& names, int64_t in, int64_t out, bool attention) {
    Residual(names.Below("0"), in, out);
    if (attention) Transformer(names.Below("1"), out);
  }
};

class UnetWeights : public UnetWalk {
 public:
  using UnetWalk::UnetWalk;

 private:
  void Ends(int64_t first) override {
    const int64_t inputs = kUnetInputs * sizes_.latent_channels;
    unet_.Layer("time_embed.0", {4 * first, first});
    unet_.Layer("time_embed.2", {4 * first, 4 * first});
    unet_.Conv("newmodel.0", inputs, inputs, 1);
    unet_.Conv("newmodel2.0", first, first, 2 * sizes_.unet_border() + 1);
    unet_.Conv("input_blocks.0.0", first, inputs, 3);
    unet_.Norm("out.0", first);
    unet_.Conv("out.2", sizes_.latent_channels, first, 3);
  }
  void Residual(const Names& names, int64_t in, int64_t out) override {
    names.Norm("in_layers.0", in);
    names.Conv("in_layers.2", out, in, 3);
    names.Layer("emb_layers.1", {out, 4 * sizes_.unet_channels});
    names.Norm("out_layers.0", out);
    names.Conv("out_layers.3", out, out, 3);
    if (in != out) names.Conv("skip_connection", out, in, 1);
  }
  void Resample(const Names& names, const char* conv, int64_t channels) override {
    names.Conv(conv, channels, channels, 3);
  }
  void Transformer(const Names& names, int64_t channels) override {
    names.Norm("norm", channels);
    names.Conv("proj_in", channels, channels, 1);
    names.Conv("proj_out", channels, channels, 1);
    const Names block = names.Below("transformer_blocks.0");
    for (const char* attention : {"attn1", "attn2"}) {
      block.Tensor(std::string(attention) + ".to_q.weight", {channels, channels});
      block.Layer(std::string(attention) + ".to_out.0", {channels, channels});
    }
    for (const char* norm : {"norm1", "norm2", "norm3"}) block.Norm(norm, channels);
    block.Layer("ff.net.0.proj", {8 * channels, channels});
    block.Layer("ff.net.2", {channels, 4 * channels});
  }
};

class UnetKeysAndValues : public UnetWalk {
 public:
  using UnetWalk::UnetWalk;

 private:
  void Transformer(const Names& names, int64_t channels) override {
    for (const char* layer : {"to_k", "to_v"}) {
      const std::string weight = std::string(layer) + ".weight";
      names.Tensor("transformer_blocks.0.attn1." + weight, {channels, channels});
      names.Tensor("transformer_blocks.0.attn2." + weight, {channels, kOfficialContext});
    }
  }
};

void AddFusion(const mftfg::Config& sizes, const Names& model) {
  const int64_t pixels = sizes.latent_size() * sizes.latent_size();
  model.Layer("fc1", {kFaceHidden, sizes.latent_channels * pixels});
  model.Layer("fc2", {kFaceFeatures, kFaceHidden});
  int64_t in = kAudioFeatures + kFaceFeatures + kLandmarkFeatures +
               kUnitFeatures * static_cast<int64_t>(std::size(kAudio2Aus));
  const int64_t width = sizes.attention_heads * mftfg::kOfficialHeadFeatures;
  for (size_t i = 0; i < sizes.tacn_channels.size(); ++i) {
    const int64_t out = sizes.tacn_channels[i];
    const Names block = model.Below("tacn.network." + Number(static_cast<int64_t>(i)));
    for (const char* conv : {"conv1", "conv2"}) {
      block.Tensor(std::string(conv) + ".bias", {out});
      block.Tensor(std::string(conv) + ".weight_g", {out, 1, 1});
      block.Tensor(std::string(conv) + ".weight_v", {out, conv[4] == '1' ? in : out, 3});
    }
    if (in != out) block.Layer("downsample", {out, in, 1});
    for (const char* projection : {"att.w_qs", "att.w_ks", "att.w_vs"})
      block.Layer(projection, {width, sizes.window_frames});
    block.Norm("att.layer_norm", sizes.window_frames);
    block.Layer("att.fc", {sizes.window_frames, width});
    in = out;
  }
}

void AddEncoders(const Names& root) {
  constexpr int64_t kConvs[] = {25, 32, 32, 64, 64};
  for (int i = 0; i < 4; ++i)
    root.Layer("cond_stage_model_for_audio.encoder_conv." + Number(2 * i),
               {kConvs[i + 1], kConvs[i], 3});
  root.Layer("cond_stage_model_for_audio.encoder_fc1.0", {64, 64});
  root.Layer("cond_stage_model_for_audio.encoder_fc1.2", {64, 64});
  constexpr int64_t kAttention[] = {8, 16, 8, 4, 2, 1};
  for (int i = 0; i < 5; ++i)
    root.Layer("cond_stage_model_for_audio_smooth.attentionConvNet." + Number(2 * i),
               {kAttention[i + 1], kAttention[i], 3});
  root.Layer("cond_stage_model_for_audio_smooth.attentionNet.0", {8, 8});
  root.Layer("cond_stage_model_for_ldm.encoder_fc1.0", {128, 78});
  root.Layer("cond_stage_model_for_ldm.encoder_fc1.2", {64, 128});
  root.Layer("cond_stage_model_for_ldm.encoder_fc1.4", {64, 64});
}

void AddFirstStageBlock(const Names& names, int64_t in, int64_t out) {
  names.Norm("norm1", in);
  names.Conv("conv1", out, in, 3);
  names.Norm("norm2", out);
  names.Conv("conv2", out, out, 3);
  if (in != out) names.Conv("nin_shortcut", out, in, 1);
}

void AddFirstStageMiddle(const Names& names, int64_t channels) {
  AddFirstStageBlock(names.Below("mid.block_1"), channels, channels);
  names.Norm("mid.attn_1.norm", channels);
  for (const char* conv : {"q", "k", "v", "proj_out"})
    names.Conv(std::string("mid.attn_1.") + conv, channels, channels, 1);
  AddFirstStageBlock(names.Below("mid.block_2"), channels, channels);
}

void AddFirstStage(const mftfg::Config& sizes, const Names& stage) {
  const int64_t first = sizes.first_stage_channels, latent = sizes.latent_channels;
  const auto levels = static_cast<int64_t>(sizes.first_stage_mult.size());
  const auto width = [&](int64_t i) {
    return first * sizes.first_stage_mult[static_cast<size_t>(i)];
  };
  const Names encoder = stage.Below("encoder"), decoder = stage.Below("decoder");
  encoder.Conv("conv_in", first, 3, 3);
  int64_t channels = first;
  for (int64_t level = 0; level < levels; ++level) {
    const Names down = encoder.Below("down." + Number(level));
    for (int64_t i = 0; i < sizes.first_stage_blocks; ++i) {
      AddFirstStageBlock(down.Below("block." + Number(i)), channels, width(level));
      channels = width(level);
    }
    if (level + 1 < levels) down.Conv("downsample.conv", channels, channels, 3);
  }
  AddFirstStageMiddle(encoder, channels);
  encoder.Norm("norm_out", channels);
  encoder.Conv("conv_out", latent, channels, 3);

  decoder.Conv("conv_in", channels, latent, 3);
  AddFirstStageMiddle(decoder, channels);
  for (int64_t level = levels; level-- > 0;) {
    const Names up = decoder.Below("up." + Number(level));
    for (int64_t i = 0; i <= sizes.first_stage_blocks; ++i) {
      AddFirstStageBlock(up.Below("block." + Number(i)), channels, width(level));
      channels = width(level);
    }
    if (level > 0) up.Conv("upsample.conv", channels, channels, 3);
  }
  decoder.Norm("norm_out", channels);
  decoder.Conv("conv_out", 3, channels, 3);
  stage.Tensor("quantize.embedding.weight", {sizes.codes, latent});
  stage.Conv("quant_conv", latent, latent, 1);
  stage.Conv("post_quant_conv", latent, latent, 1);
}

}  // namespace

Shapes LatentDiffusionShapes(const mftfg::Config& sizes) {
  Shapes shapes;
  const Names root(&shapes, "");
  UnetWeights(sizes, &shapes).Run();
  AddFusion(sizes, root.Below("model"));
  AddEncoders(root);
  AddFirstStage(sizes, root.Below("first_stage_model"));
  return shapes;
}

Shapes AttentionShapes(const mftfg::Config& sizes) {
  Shapes shapes;
  UnetKeysAndValues(sizes, &shapes).Run();
  return shapes;
}

Shapes Audio2AuShapes(const mftfg::Config& sizes) {
  Shapes shapes;
  const Names root(&shapes, "");
  const Shape kConvs[] = {
      {8, 1, 1, 4}, {32, 8, 1, 3}, {64, 32, 1, 3}, {128, 64, 3, 1}, {256, 128, 3, 1}};
  for (size_t i = 0; i < std::size(kConvs); ++i) {
    const Names block = root.Below("block" + Number(static_cast<int64_t>(i + 1)));
    const int64_t channels = kConvs[i][0];
    block.Layer("conv1", kConvs[i]);
    block.Norm("bn1", channels);
    block.Tensor("bn1.running_mean", {channels});
    block.Tensor("bn1.running_var", {channels});
    block.Tensor("bn1.num_batches_tracked", {});
  }
  const int64_t hidden = sizes.au_hidden;
  for (const char* layer : {"_l0", "_l0_reverse", "_l1", "_l1_reverse"}) {
    const int64_t in = layer[2] == '0' ? 256 : 2 * hidden;
    root.Tensor(std::string("rnn.rnn.weight_ih") + layer, {4 * hidden, in});
    root.Tensor(std::string("rnn.rnn.weight_hh") + layer, {4 * hidden, hidden});
    root.Tensor(std::string("rnn.rnn.bias_ih") + layer, {4 * hidden});
    root.Tensor(std::string("rnn.rnn.bias_hh") + layer, {4 * hidden});
  }
  root.Layer("rnn.fc1", {hidden, 2 * hidden});
  root.Layer("fc1.0", {128, 2 * hidden});
  root.Layer("fc2.0", {64, 128});
  return shapes;
}

Shapes MaskGeneratorShapes(const mftfg::Config& sizes) {
  Shapes shapes;
  const Names root(&shapes, "");
  const int64_t first = sizes.mask_channels, blocks = sizes.mask_blocks;
  const auto conv = [&](const Names& names, int64_t place, int64_t out, int64_t in, int64_t size) {
    names.Tensor("main." + Number(place) + ".weight", {out, in, size, size});
  };
  const auto norm = [&](const Names& names, int64_t place, int64_t channels) {
    names.Norm("main." + Number(place), channels);
  };
  conv(root, 0, first, 3 + 5, 7);  // the picture and five action units
  norm(root, 1, first);
  conv(root, 3, 2 * first, first, 4);
  norm(root, 4, 2 * first);
  conv(root, 6, 4 * first, 2 * first, 4);
  norm(root, 7, 4 * first);
  for (int64_t i = 0; i < blocks; ++i) {
    const Names block = root.Below("main." + Number(9 + i));
    for (int64_t place : {0, 3}) {
      conv(block, place, 4 * first, 4 * first, 3);
      norm(block, place + 1, 4 * first);
    }
  }
  conv(root, 9 + blocks, 4 * first, 2 * first, 4);  // transposed: inputs first
  norm(root, 10 + blocks, 2 * first);
  conv(root, 12 + blocks, 2 * first, first, 4);
  norm(root, 13 + blocks, first);
  root.Tensor("img_reg.0.weight", {3, first, 7, 7});
  root.Tensor("attetion_reg.0.weight", {1, first, 7, 7});
  return shapes;
}

std::string CanonicalName(const std::string& name) {
  const std::string network = "model.tacn.network.";
  if (name.compare(0, network.size(), network) != 0) return name;
  for (const auto& [second, first] : {std::pair(".net.0.", ".conv1."), {".net.4.", ".conv2."}}) {
    const size_t at = name.find(second);
    if (at != std::string::npos) return std::string(name).replace(at, 7, first);
  }
  return name;
}

std::string Audio2AuPrefix(int unit) { return "audio2AU" + std::to_string(unit) + "_model."; }

}  // namespace talkface::checkpoint
