// SPDX-License-Identifier: MIT
#include "models/training/checkpoint/mftfg_pack.h"

#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "models/core/error.h"
#include "models/core/pack.h"
#include "models/core/part_file.h"
#include "models/families/mftfg/speech/speech_run.h"

namespace talkface::checkpoint {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

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

// What a frame hears, and at most a whole window of frames behind it.
json Timing(const mftfg::Config& sizes) {
  constexpr uint64_t kNsPerMs = 1'000'000;
  const auto step_ms = static_cast<int64_t>(mftfg::kFrameStepNs / kNsPerMs);
  const auto least_ms = static_cast<int64_t>(mftfg::kHearingNs / kNsPerMs);
  const int64_t most_ms = least_ms + (sizes.window_frames - 1) * step_ms;
  return {{"sample_rate_hz", speech::kMfccRate}, {"hop_samples", speech::kMfccStep},
          {"look_behind_ms", most_ms},           {"look_ahead_min_ms", least_ms},
          {"look_ahead_default_ms", most_ms},    {"look_ahead_max_ms", most_ms}};
}

json Section(const MftfgTensors& tensors) {
  mftfg::Config config = tensors.sizes;
  config.conditioned = tensors.trained;
  return mftfg::SettingsOf(config);
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
