// SPDX-License-Identifier: MIT
// The paper's official files at tiny widths.
#pragma once

#include <cmath>
#include <functional>
#include <map>
#include <ostream>
#include <string>

#include "models/training/checkpoint/checkpoint_writer.h"
#include "models/training/checkpoint/mftfg_import.h"
#include "models/training/checkpoint/mftfg_keys.h"
#include "tests/units/support/official_keys.h"
#include "tests/units/support/temporary_folder.h"

namespace talkface::checkpoint {

inline mftfg::Config TinySizes() {
  mftfg::Config sizes;
  sizes.window_frames = 10;
  sizes.image_size = 20;  // latents of 10: a border of 1
  sizes.au_hidden = 4;
  sizes.mask_channels = 2;
  sizes.mask_blocks = 3;
  sizes.tacn_channels = {8, 16};
  sizes.attention_heads = 2;
  sizes.first_stage_channels = 32;
  sizes.first_stage_mult = {1, 2};
  sizes.first_stage_blocks = 1;
  sizes.codes = 16;
  sizes.unet_channels = 32;
  sizes.unet_mult = {1, 2, 2};
  sizes.unet_blocks = 1;
  return sizes;
}

// A tensor whose elements are all a number of its name's own.
inline float ValueOf(const std::string& name) {
  return static_cast<float>(std::hash<std::string>()(name) % 10007) / 10007;
}

inline TensorSource Filled(const std::string& name, const Shape& shape) {
  const bool counter = shape.empty();
  TensorSource source{counter ? DType::kI64 : DType::kF32, shape, nullptr};
  source.produce = [name, bytes = source.bytes(), counter](std::ostream& out) {
    const float value = ValueOf(name);
    const int64_t count = 7;
    if (counter) {
      out.write(reinterpret_cast<const char*>(&count), sizeof count);
      return;
    }
    for (uint64_t i = 0; i < bytes; i += sizeof value)
      out.write(reinterpret_cast<const char*>(&value), sizeof value);
  };
  return source;
}

using Sources = std::map<std::string, TensorSource>;

inline void Add(const Shapes& shapes, const std::string& prefix, Sources* sources) {
  for (const auto& [name, shape] : shapes) (*sources)[prefix + name] = Filled(prefix + name, shape);
}

inline TensorSource Betas(double first) {
  TensorSource betas{DType::kF32, {1000}, nullptr};
  betas.produce = [first](std::ostream& out) {
    for (int i = 0; i < 1000; ++i) {
      const double root = std::sqrt(first) + (std::sqrt(.0195) - std::sqrt(first)) * i / 999;
      const auto beta = static_cast<float>(root * root);
      out.write(reinterpret_cast<const char*>(&beta), sizeof beta);
    }
  };
  return betas;
}

// The official files, which a test changes before it writes them.
struct OfficialFiles {
  OfficialFiles() {
    const mftfg::Config sizes = TinySizes();
    const Shapes shapes = LatentDiffusionShapes(sizes);
    Add(shapes, "", &model);
    for (const auto& [name, shape] : shapes) {
      if (name.compare(0, 6, "model.") != 0) continue;
      model[Averaged(name)] = Filled(Averaged(name), shape);
    }
    model["model_ema.decay"] = Filled("decay", {1});
    model["betas"] = Betas(.0015);
    model["model.tacn.network.0.net.0.bias"] = model["model.tacn.network.0.conv1.bias"];
    model["model.tacn.network.1.net.4.weight_v"] = model["model.tacn.network.1.conv2.weight_v"];
    model["first_stage_model.loss.logvar"] = Filled("loss", {1});
    for (int unit : kAudio2Aus) {
      for (const auto& [name, shape] : Audio2AuShapes(sizes))
        audio2au[unit][name] = Filled(Audio2AuPrefix(unit) + name, shape);
    }
    for (const auto& [name, shape] : MaskGeneratorShapes(sizes))
      mask[name] = Filled(kMaskPrefix + name, shape);
  }

  MftfgFiles Write(const test::TemporaryFolder& folder) const {
    MftfgFiles files;
    const auto write = [&](const std::string& name, const Sources& sources, const char* key) {
      files.files.push_back(folder / name);
      WriteCheckpoint(folder / name, sources, key);
    };
    write("epoch=100.ckpt", model, "state_dict");
    for (const auto& [unit, sources] : audio2au)
      write("Audio2AU_AU" + std::to_string(unit) + "_best.pt", sources, "");
    write("generator.tar", mask, "unet_state_dict2");
    return files;
  }

  Sources model, mask;
  std::map<int, Sources> audio2au;
};

}  // namespace talkface::checkpoint
