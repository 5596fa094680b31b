// SPDX-License-Identifier: MIT
#include "models/families/mftfg/config.h"

#include <nlohmann/json.hpp>

namespace talkface::mftfg {
namespace {

using nlohmann::json;

struct NumberField {
  const char* name;
  int64_t Config::*field;
  int64_t low, high;
  const char* meaning;
};
constexpr NumberField kNumbers[] = {
    {"window_frames", &Config::window_frames, 1, 1000,
     "frames fused at once; the official wiring's attention fits exactly these"},
    {"image_size", &Config::image_size, 16, 512, "px, width and height of the face picture"},
    {"au_hidden", &Config::au_hidden, 1, 1024, "units of Audio2AU's LSTM, each way"},
    {"mask_channels", &Config::mask_channels, 1, 256, "first width of the mask generator"},
    {"mask_blocks", &Config::mask_blocks, 0, 32, "its residual blocks"},
    {"attention_heads", &Config::attention_heads, 1, 64, "heads of the fusion's attention"},
    {"latent_channels", &Config::latent_channels, 1, 64, "channels of the first stage's latents"},
    {"first_stage_channels", &Config::first_stage_channels, 32, 512,
     "first width of the first stage"},
    {"first_stage_decoder_channels", &Config::first_stage_decoder_channels, 0, 512,
     "the same for its decoder alone; 0: as the encoder"},
    {"first_stage_blocks", &Config::first_stage_blocks, 1, 8, "its residual blocks a level"},
    {"codes", &Config::codes, 2, 65536, "of the first stage's codebook"},
    {"unet_channels", &Config::unet_channels, 32, 1024, "first width of the U-Net"},
    {"unet_blocks", &Config::unet_blocks, 1, 8, "its residual blocks a level"},
    {"unet_head_channels", &Config::unet_head_channels, 1, 256, "channels of an attention head"},
    {"sampler_steps", &Config::sampler_steps, 1, 50,
     "of the sampler, where the element's `sampler-steps` is 0"},
};

struct ListField {
  const char* name;
  std::vector<int64_t> Config::*field;
  int64_t low, high;
  size_t most;  // entries; at least one
  const char* meaning;
};
constexpr ListField kLists[] = {
    {"tacn_channels", &Config::tacn_channels, 8, 4096, 8, "widths of the fusion's blocks"},
    {"first_stage_mult", &Config::first_stage_mult, 1, 16, 6,
     "width of each level of the first stage, times the first; each but the last halves the size"},
    {"unet_mult", &Config::unet_mult, 1, 16, 6, "the same for the U-Net"},
};

// Is the field the second of two words? The first is the default.
bool IsSecond(const JsonField& field, const char* first, const char* second) {
  return field.Exists() && field.Word({first, second}) == 1;
}

// What no single range can say.
void CheckTogether(const Pack& pack, const Config& config) {
  const int64_t step = int64_t{1} << (config.first_stage_mult.size() - 1);
  if (config.image_size % step != 0 || config.image_size % 4 != 0) {
    pack.Reject("image_size", "a multiple of 4 and of " + std::to_string(step),
                std::to_string(config.image_size));
  }
  for (int64_t channels : config.tacn_channels) {
    if (!config.official() && channels % config.attention_heads != 0) {
      pack.Reject("tacn_channels", "multiples of attention_heads", std::to_string(channels));
    }
  }
  const auto multiple_of_32 = [&pack](const char* field, int64_t channels) {
    if (channels % 32 != 0) pack.Reject(field, "a multiple of 32", std::to_string(channels));
  };
  multiple_of_32("first_stage_channels", config.first_stage_channels);
  multiple_of_32("first_stage_decoder_channels", config.first_stage_decoder_channels);
  multiple_of_32("unet_channels", config.unet_channels);
  if (config.unet_channels % config.unet_head_channels != 0) {
    pack.Reject("unet_head_channels", "a divisor of unet_channels",
                std::to_string(config.unet_head_channels));
  }
}

}  // namespace

Config ReadConfig(const Pack& pack) {
  Config config;
  if (IsSecond(pack.Setting("wiring"), "corrected", "official")) config.wiring = Wiring::kOfficial;
  config.conditioned = !IsSecond(pack.Setting("conditioning"), "trained", "untrained");
  for (const NumberField& number : kNumbers) {
    const JsonField field = pack.Setting(number.name);
    if (field.Exists()) config.*number.field = field.Whole(number.low, number.high);
  }
  for (const ListField& list : kLists) {
    const JsonField field = pack.Setting(list.name);
    if (field.Exists()) config.*list.field = field.Wholes(1, list.most, list.low, list.high);
  }
  CheckTogether(pack, config);
  return config;
}

json SettingsOf(const Config& config) {
  json section = {{"wiring", config.official() ? "official" : "corrected"},
                  {"conditioning", config.conditioned ? "trained" : "untrained"}};
  for (const NumberField& number : kNumbers) section[number.name] = config.*number.field;
  for (const ListField& list : kLists) section[list.name] = config.*list.field;
  return section;
}

std::string ConfigTable() {
  const Config defaults;
  std::string rows =
      "| `wiring` | `\"corrected\"` | `\"corrected\"` or `\"official\"` | see above |\n"
      "| `conditioning` | `\"trained\"` | `\"trained\"` or `\"untrained\"` | of the keys and "
      "values "
      "of the U-Net's attention; where untrained the element warns |\n";
  const auto add = [&rows](const char* name, const std::string& value, const std::string& range,
                           const char* meaning) {
    rows += std::string("| `") + name + "` | " + value + " | " + range + " | " + meaning + " |\n";
  };
  for (const NumberField& number : kNumbers) {
    add(number.name, std::to_string(defaults.*number.field), WantedWhole(number.low, number.high),
        number.meaning);
  }
  for (const ListField& list : kLists) {
    add(list.name, json(defaults.*list.field).dump(),
        WantedWholes(1, list.most, list.low, list.high), list.meaning);
  }
  return rows;
}

}  // namespace talkface::mftfg
