// SPDX-License-Identifier: MIT
#include "models/tools/mftfg_pack.h"

#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "models/core/error.h"
#include "models/core/pack.h"
#include "models/core/part_file.h"

namespace talkface::checkpoint {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kSampleRateHz = 16000, kVideoRateHz = 25;

// A folder that goes away again unless it is kept.
class PartFolder {
 public:
  explicit PartFolder(const std::string& path)
      : path_(path), part_(path + ".part" + std::to_string(::getpid())) {
    std::error_code error;
    fs::create_directories(part_, error);
    if (error) throw Error(Code::kFailed, "Cannot make " + part_ + ": " + error.message() + ".");
  }
  ~PartFolder() {
    std::error_code ignored;
    if (!kept_) fs::remove_all(part_, ignored);
  }
  PartFolder(const PartFolder&) = delete;
  PartFolder& operator=(const PartFolder&) = delete;

  const std::string& part() const { return part_; }
  void Keep() {
    std::error_code error;
    fs::rename(part_, path_, error);
    if (error) throw Error(Code::kFailed, "Cannot make " + path_ + ": " + error.message() + ".");
    kept_ = true;
  }

 private:
  std::string path_, part_;
  bool kept_ = false;
};

// The model sees whole windows of frames at 25 a second, and nothing outside of one.
json Timing(const mftfg::Config& sizes) {
  const int64_t window_ms = sizes.window_frames * 1000 / kVideoRateHz;
  return {{"sample_rate_hz", kSampleRateHz},    {"hop_samples", kSampleRateHz / kVideoRateHz},
          {"look_behind_ms", window_ms},        {"look_ahead_min_ms", 0},
          {"look_ahead_default_ms", window_ms}, {"look_ahead_max_ms", window_ms}};
}

json Section(const MftfgTensors& tensors) {
  const mftfg::Config& sizes = tensors.sizes;
  return {{"wiring", "official"},
          {"conditioning", tensors.trained ? "trained" : "untrained"},
          {"window_frames", sizes.window_frames},
          {"image_size", sizes.image_size},
          {"au_hidden", sizes.au_hidden},
          {"mask_channels", sizes.mask_channels},
          {"mask_blocks", sizes.mask_blocks},
          {"tacn_channels", sizes.tacn_channels},
          {"attention_heads", sizes.attention_heads},
          {"latent_channels", sizes.latent_channels},
          {"first_stage_channels", sizes.first_stage_channels},
          {"first_stage_mult", sizes.first_stage_mult},
          {"first_stage_blocks", sizes.first_stage_blocks},
          {"codes", sizes.codes},
          {"unet_channels", sizes.unet_channels},
          {"unet_mult", sizes.unet_mult},
          {"unet_blocks", sizes.unet_blocks},
          {"unet_head_channels", sizes.unet_head_channels}};
}

}  // namespace

void WriteMftfgPack(const MftfgTensors& tensors, const MftfgPackFacts& facts,
                    const std::function<void(uint64_t)>& progress) {
  const fs::path folder = fs::path(facts.folder + "/").parent_path();
  if (fs::exists(folder))
    throw Error(Code::kInvalid, folder.string() + ": exists already; name another or delete it.");
  PartFolder part(folder.string());
  json files = json::object();
  uint64_t written = 0;
  const std::pair<const char*, const std::map<std::string, TensorSource>*> parts[] = {
      {"model", &tensors.model}, {"audio2au", &tensors.audio2au}, {"mask", &tensors.mask}};
  for (const auto& [name, sources] : parts) {
    std::map<std::string, TensorSource> counted;
    for (const auto& [tensor_name, source] : *sources) {
      const TensorSource& tensor = source;
      TensorSource& counting = counted[tensor_name] = {tensor.dtype, tensor.shape, nullptr, {}};
      counting.produce = [&tensor, &written, &progress](std::ostream& out) {
        tensor.WriteTo(out);
        progress(written += tensor.bytes());
      };
    }
    const std::string file = std::string(name) + ".safetensors";
    WriteSafeTensors(part.part() + "/" + file, counted, {{"format", "pt"}});
    files[name] = {{"file", file}, {"sha256", FileSha256(part.part() + "/" + file)}};
  }
  const json manifest = {
      {"schema", 1},    {"name", folder.filename().string()}, {"family", "mftfg"},
      {"version", "1"}, {"licence", facts.licence},           {"timing", Timing(tensors.sizes)},
      {"files", files}, {"mftfg", Section(tensors)}};
  PartFile file(part.part() + "/manifest.json");
  file.out() << manifest.dump(2) << "\n";
  file.Commit();
  part.Keep();
}

}  // namespace talkface::checkpoint
