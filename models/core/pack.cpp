// SPDX-License-Identifier: MIT
#include "models/core/pack.h"

#include <openssl/evp.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
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

uint32_t Number(const JsonField& timing, const std::string& field, uint32_t low, uint32_t high) {
  return static_cast<uint32_t>(timing.At(field).Whole(low, high));
}

PackTiming ParseTiming(const JsonField& field) {
  PackTiming timing;
  timing.sample_rate_hz = Number(field, "sample_rate_hz", 4000, 192000);
  timing.hop_samples = Number(field, "hop_samples", 1, 192000);
  timing.look_behind_ms = Number(field, "look_behind_ms", 0, 60000);
  timing.look_ahead_min_ms = Number(field, "look_ahead_min_ms", 0, 60000);
  timing.look_ahead_max_ms = Number(field, "look_ahead_max_ms", timing.look_ahead_min_ms, 60000);
  timing.look_ahead_default_ms =
      Number(field, "look_ahead_default_ms", timing.look_ahead_min_ms, timing.look_ahead_max_ms);
  return timing;
}

// A file of the pack: its name may not leave the folder, its sha256 must be the manifest's.
std::shared_ptr<const SafeTensors> OpenFile(const std::string& folder, const JsonField& entry) {
  const std::string file = entry.At("file").NonEmptyText();
  if (file.find('/') != std::string::npos)
    entry.At("file").Reject("a name inside the pack's folder");
  const std::string path = folder + "/" + file;
  if (!IsFile(path)) throw Error(Code::kBadPack, path + ": missing; the pack is incomplete.");
  const std::string wanted = entry.At("sha256").NonEmptyText();
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

json ReadManifest(const std::string& path) {
  std::error_code unknown;  // reads as a size beyond all
  const auto size = std::filesystem::file_size(path, unknown);
  std::string text(std::min<uintmax_t>(size, kMaxManifestBytes + 1), '\0');
  std::ifstream in(path, std::ios::binary);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > kMaxManifestBytes) throw Error(Code::kBadPack, path + ": larger than 1 MiB.");
  return ParseJson(path, text);
}

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
  const json document = ReadManifest(file);
  const JsonField manifest(file, document);
  manifest.At("schema").Whole(kSchema, kSchema);
  pack->name_ = manifest.At("name").NonEmptyText();
  pack->family_ = manifest.At("family").NonEmptyText();
  pack->version_ = manifest.At("version").NonEmptyText();
  pack->licence_ = manifest.At("licence").NonEmptyText();
  if (const JsonField timing = manifest.At("timing"); timing.Exists())
    pack->timing_ = ParseTiming(timing);
  pack->settings_ = std::make_shared<json>(document.value(pack->family_, json::object()));
  if (!pack->settings_->is_object()) manifest.At(pack->family_).Reject("an object");
  if (const JsonField files = manifest.At("files"); files.Exists()) {
    for (const JsonField& entry : files.Fields())
      pack->files_[entry.key()] = OpenFile(folder, entry);
  }
  return pack;
}

JsonField Pack::Setting(const std::string& field) const {
  return JsonField(folder_ + "/" + kManifest, *settings_, family_).At(field);
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
