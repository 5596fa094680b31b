// SPDX-License-Identifier: MIT
// Makes checkpoints of the paper's model in their full size, with random weights:
//   mftfg_checkpoint OFFICIAL_KEYS FOLDER
// OFFICIAL_KEYS is tests/data/parity/official_keys.txt; what is absent there is left out, as the
// official code does. The files are named as the importer wants them.
#include <algorithm>
#include <exception>
#include <iostream>
#include <vector>

#include "models/training/checkpoint/checkpoint_writer.h"
#include "tests/units/support/official_keys.h"

namespace talkface::checkpoint {
namespace {

using Sources = std::map<std::string, TensorSource>;

// Numbers that differ from each other and are cheap: xorshift64*, as floats around zero.
void WriteNoise(uint64_t bytes, std::ostream& out) {
  std::vector<float> block(1 << 14);
  static uint64_t state = 88172645463325252;
  for (uint64_t done = 0; done < bytes; done += block.size() * sizeof(float)) {
    for (float& value : block) {
      state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
      value = static_cast<float>(static_cast<int32_t>(state >> 32)) * 0x1p-36f;
    }
    const uint64_t size = std::min<uint64_t>(block.size() * sizeof(float), bytes - done);
    out.write(reinterpret_cast<const char*>(block.data()), static_cast<std::streamsize>(size));
  }
}

TensorSource MakeTensor(const std::string& name, const OfficialKey& key) {
  const DType dtype = key.type == "int64"   ? DType::kI64
                      : key.type == "int32" ? DType::kI32
                                            : DType::kF32;
  TensorSource tensor{dtype, key.shape, nullptr};
  if (name == "betas") {
    tensor.produce = [](std::ostream& out) {
      for (int i = 0; i < 1000; ++i) {
        const double root =
            0.03872983346207417 + (0.13964240043768942 - 0.03872983346207417) * i / 999;
        const auto beta = static_cast<float>(root * root);
        out.write(reinterpret_cast<const char*>(&beta), sizeof beta);
      }
    };
  } else {
    tensor.produce = [bytes = tensor.bytes()](std::ostream& out) { WriteNoise(bytes, out); };
  }
  return tensor;
}

std::map<std::string, Sources> MakeModules(const OfficialKeys& official) {
  std::map<std::string, Sources> modules;
  for (const auto& [module, keys] : official) {
    for (const auto& [name, key] : keys) {
      if (key.absent) continue;
      modules[module][name] = MakeTensor(name, key);
      const bool averaged = name.compare(0, 6, "model.") == 0 && CanonicalName(name) == name;
      if (averaged) modules[module][Averaged(name)] = MakeTensor(name, key);
    }
  }
  return modules;
}

int Main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: mftfg_checkpoint OFFICIAL_KEYS FOLDER\n";
    return 2;
  }
  const auto modules = MakeModules(ReadOfficialKeys(argv[1]));
  const std::string folder = argv[2];
  WriteCheckpoint(folder + "/model.ckpt", modules.at("LatentDiffusion"), "state_dict");
  for (int unit : kAudio2Aus)
    WriteCheckpoint(folder + "/AU" + std::to_string(unit) + ".pt", modules.at("Audio2AU"));
  WriteCheckpoint(folder + "/generator.tar", modules.at("Generator"), "unet_state_dict2");
  return 0;
}

}  // namespace
}  // namespace talkface::checkpoint

int main(int argc, char** argv) {
  try {
    return talkface::checkpoint::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "mftfg_checkpoint: " << error.what() << "\n";
    return 1;
  }
}
