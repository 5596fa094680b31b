// SPDX-License-Identifier: MIT
#include "pipelines/cli/environment.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "pipelines/cli/paths.h"

namespace talkface::cli {
namespace {

namespace fs = std::filesystem;

// What the user has set comes first; ours is added behind it.
void AddFolders(const char* name, const std::string& ours, const char* older_name = nullptr) {
  const char* set = getenv(name);
  if (set == nullptr && older_name != nullptr) set = getenv(older_name);
  const std::string path = set == nullptr || *set == '\0' ? ours : set + (":" + ours);
  setenv(name, path.c_str(), /*overwrite=*/1);
}

// GStreamer reads the name without a version only where the one with it is unset.
void AddPlugins(const std::string& folders) {
  AddFolders("GST_PLUGIN_PATH_1_0", folders, "GST_PLUGIN_PATH");
}

void AddPacks(const std::string& folders) { AddFolders("TALKFACE_MODEL_PATH", folders); }

void SetEngine(const std::string& file) {
  setenv("TALKFACE_ENGINE", file.c_str(), /*overwrite=*/0);
}

bool ReadBuildFile(const fs::path& file) {
  std::ifstream in(file);
  if (!in) return false;
  for (std::string line; std::getline(in, line);) {
    const size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    const std::string name = line.substr(0, equals), value = line.substr(equals + 1);
    if (name == "plugins") AddPlugins(value);
    if (name == "packs") AddPacks(value);
    if (name == "engine") SetEngine(value);
  }
  return true;
}

}  // namespace

void FindOwnFiles() {
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  if (error || ReadBuildFile(folder / "talkface-build.env")) return;
  // Installed, maybe below another root than planned (DESTDIR, dpkg -x): ROOT + bindir is ours.
  const std::string here = folder.string(), planned = TALKFACE_BIN_DIR;
  if (here.size() < planned.size() ||
      here.compare(here.size() - planned.size(), planned.size(), planned) != 0)
    return;
  const std::string root = here.substr(0, here.size() - planned.size());
  if (fs::exists(root + TALKFACE_PLUGIN_DIR, error)) AddPlugins(root + TALKFACE_PLUGIN_DIR);
  if (fs::exists(root + TALKFACE_ENGINE_FILE, error)) SetEngine(root + TALKFACE_ENGINE_FILE);
  if (!root.empty() && fs::exists(root + TALKFACE_PACK_DIR, error))
    AddPacks(root + TALKFACE_PACK_DIR);
}

}  // namespace talkface::cli
