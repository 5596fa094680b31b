// SPDX-License-Identifier: MIT
#include "models/core/pack.h"

#include <openssl/evp.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "models/core/error.h"

namespace talkface {
namespace {

using nlohmann::json;

constexpr int kSchema = 1;
constexpr const char* kManifest = "manifest.json";
constexpr size_t kMaxManifestBytes = 1 << 20;

[[noreturn]] void BadField(const std::string& file, const std::string& field,
                           const std::string& wanted, const std::string& got) {
  throw Error(Code::kBadPack, file + ": " + field + " is " + got + ", wanted " + wanted + ".");
}

bool IsFile(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode);
}

bool IsFolder(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

json ReadManifest(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(kMaxManifestBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > kMaxManifestBytes) throw Error(Code::kBadPack, path + ": larger than 1 MiB.");
  try {
    return json::parse(text);
  } catch (const json::exception& error) {
    throw Error(Code::kBadPack, path + ": not valid JSON.", error.what());
  }
}

std::string Text(const std::string& file, const json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end()) BadField(file, field, "a text", "missing");
  if (!found->is_string() || found->get<std::string>().empty()) {
    BadField(file, field, "a text", found->dump());
  }
  return found->get<std::string>();
}

uint32_t Number(const std::string& file, const json& object, const std::string& field, uint32_t low,
                uint32_t high) {
  const std::string wanted = std::to_string(low) + " to " + std::to_string(high);
  const auto found = object.find(field);
  if (found == object.end()) BadField(file, "timing." + field, wanted, "missing");
  if (!found->is_number_integer() || found->get<int64_t>() < low || found->get<int64_t>() > high) {
    BadField(file, "timing." + field, wanted, found->dump());
  }
  return found->get<uint32_t>();
}

PackTiming ParseTiming(const std::string& file, const json& object) {
  if (!object.is_object()) BadField(file, "timing", "an object", object.dump());
  PackTiming timing;
  timing.sample_rate_hz = Number(file, object, "sample_rate_hz", 4000, 192000);
  timing.hop_samples = Number(file, object, "hop_samples", 1, 192000);
  timing.look_behind_ms = Number(file, object, "look_behind_ms", 0, 60000);
  timing.look_ahead_min_ms = Number(file, object, "look_ahead_min_ms", 0, 60000);
  timing.look_ahead_max_ms =
      Number(file, object, "look_ahead_max_ms", timing.look_ahead_min_ms, 60000);
  timing.look_ahead_default_ms = Number(file, object, "look_ahead_default_ms",
                                        timing.look_ahead_min_ms, timing.look_ahead_max_ms);
  return timing;
}

// A file of the pack: its name may not leave the folder, its sha256 must be the manifest's.
std::shared_ptr<const SafeTensors> OpenFile(const std::string& folder, const std::string& name,
                                            const json& entry) {
  const std::string manifest = folder + "/" + kManifest;
  if (!entry.is_object()) BadField(manifest, "files." + name, "an object", entry.dump());
  const std::string file = Text(manifest, entry, "file");
  if (file.find('/') != std::string::npos) {
    BadField(manifest, "files." + name + ".file", "a name inside the pack's folder", file);
  }
  const std::string path = folder + "/" + file;
  if (!IsFile(path)) throw Error(Code::kBadPack, path + ": missing; the pack is incomplete.");
  const std::string wanted = Text(manifest, entry, "sha256");
  const std::string got = FileSha256(path);
  if (got != wanted) BadField(path, "sha256", wanted, got);
  return SafeTensors::Open(path);
}

// Folder of a pack given by name or path; "" if none.
std::string Find(const std::string& model, const std::string& extra_path) {
  const bool is_path = model.find('/') != std::string::npos;
  if (is_path) return IsFile(model + "/" + kManifest) ? model : "";
  for (const std::string& folder : PackSearchPath(extra_path)) {
    if (IsFile(folder + "/" + model + "/" + kManifest)) return folder + "/" + model;
  }
  return IsFolder(model) && IsFile(model + "/" + kManifest) ? model : "";
}

}  // namespace

std::string FileSha256(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                  EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  std::vector<char> block(1 << 16);
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())), in.gcount() > 0) {
    EVP_DigestUpdate(context.get(), block.data(), static_cast<size_t>(in.gcount()));
  }
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  EVP_DigestFinal_ex(context.get(), digest, &length);
  std::string text;
  for (unsigned int i = 0; i < length; ++i) {
    constexpr const char* kHex = "0123456789abcdef";
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 15];
  }
  return text;
}

std::shared_ptr<const Pack> Pack::Open(const std::string& model, const std::string& extra_path) {
  const std::string folder = model.empty() ? "" : Find(model, extra_path);
  if (folder.empty()) {
    std::string looked;
    for (const std::string& place : PackSearchPath(extra_path)) looked += " " + place;
    throw Error(Code::kNotFound,
                "No model pack '" + model + "': no " + kManifest +
                    " found; `talkface models` lists the packs, TALKFACE_MODEL_PATH adds folders.",
                "looked in:" + looked);
  }
  auto pack = std::make_shared<Pack>();
  pack->folder_ = folder;
  const std::string file = folder + "/" + kManifest;
  const json manifest = ReadManifest(file);
  if (!manifest.is_object()) BadField(file, "manifest", "an object", manifest.type_name());
  const json schema = manifest.value("schema", json());
  if (schema != kSchema) BadField(file, "schema", std::to_string(kSchema), schema.dump());
  pack->name_ = Text(file, manifest, "name");
  pack->family_ = Text(file, manifest, "family");
  pack->version_ = Text(file, manifest, "version");
  pack->licence_ = Text(file, manifest, "licence");
  if (manifest.contains("timing")) pack->timing_ = ParseTiming(file, manifest["timing"]);
  pack->settings_ = std::make_shared<json>(manifest.value(pack->family_, json::object()));
  if (!pack->settings_->is_object()) {
    BadField(file, pack->family_, "an object", pack->settings_->dump());
  }
  const json files = manifest.value("files", json::object());
  for (const auto& [name, entry] : files.items())
    pack->files_[name] = OpenFile(folder, name, entry);
  return pack;
}

std::shared_ptr<const SafeTensors> Pack::Tensors(const std::string& name) const {
  const auto found = files_.find(name);
  if (found == files_.end()) {
    BadField(folder_ + "/" + kManifest, "files." + name, "a file", "missing");
  }
  return found->second;
}

uint64_t Pack::bytes() const {
  uint64_t total = 0;
  for (const auto& [name, file] : files_) total += file->bytes();
  return total;
}

void Pack::Reject(const std::string& field, const std::string& wanted,
                  const std::string& got) const {
  BadField(folder_ + "/" + kManifest, family_ + "." + field, wanted, got);
}

}  // namespace talkface
