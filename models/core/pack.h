// SPDX-License-Identifier: MIT
// A model pack on disk: a folder with manifest.json and safetensors files (docs/model-packs.md).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "models/core/checked_json.h"
#include "models/core/safetensors.h"

namespace talkface {

struct PackTiming {
  uint32_t sample_rate_hz = 0;
  uint32_t hop_samples = 0;
  uint32_t look_behind_ms = 0;
  uint32_t look_ahead_min_ms = 0, look_ahead_default_ms = 0, look_ahead_max_ms = 0;
};

// An opened, checked pack. Immutable. Every error is an Error{kNotFound | kBadPack} naming file,
// field, wanted and got.
class Pack {
 public:
  // `model` is a folder, or a name looked up along SearchPath(extra). Checks schema, ranges and
  // sha256 of every file.
  static std::shared_ptr<const Pack> Open(const std::string& model, const std::string& extra_path);

  const std::string& folder() const { return folder_; }
  const std::string& name() const { return name_; }
  const std::string& family() const { return family_; }
  const std::string& version() const { return version_; }
  const std::string& licence() const { return licence_; }
  const PackTiming& timing() const { return timing_; }
  // The family's own section of the manifest ("auwarp": {...}); an empty object if there is none.
  const nlohmann::json& settings() const { return *settings_; }
  // A safetensors file of the pack by its manifest name ("speech"): mapped, not copied, for the
  // pack's lifetime.
  std::shared_ptr<const SafeTensors> Tensors(const std::string& name) const;
  const std::map<std::string, std::shared_ptr<const SafeTensors>>& files() const { return files_; }
  uint64_t bytes() const;
  // A field of settings(), which need not exist; messages call it "PACK/manifest.json:
  // auwarp.hidden".
  JsonField Setting(const std::string& field) const;
  // Throws kBadPack for such a field where more than its own value is wrong: "PACK/manifest.json:
  // auwarp.hidden is 0, wanted 1 to 4096".
  [[noreturn]] void Reject(const std::string& field, const std::string& wanted,
                           const std::string& got) const;

 private:
  std::string folder_, name_, family_, version_, licence_;
  PackTiming timing_;
  std::shared_ptr<const nlohmann::json> settings_;  // not by value: json.hpp costs seconds a file
  std::map<std::string, std::shared_ptr<const SafeTensors>> files_;
};

// A manifest's JSON: at most 1 MiB. Throws Error{kBadPack} naming the path.
nlohmann::json ReadManifest(const std::string& path);

// sha256 of a file's bytes, in lower-case hexadecimal.
std::string FileSha256(const std::string& path);

// Folders that hold packs, in the order they are searched: `extra`, TALKFACE_MODEL_PATH, the user's
// data folder, the install folder.
std::vector<std::string> PackSearchPath(const std::string& extra);

}  // namespace talkface
