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

void SetUnlessSet(const std::string& name, const std::string& value) {
  setenv(name.c_str(), value.c_str(), /*overwrite=*/0);
}

// The user's plugins come first; ours is added behind them.
void AddPluginFolder(const std::string& folder) {
  const char* set = getenv("GST_PLUGIN_PATH");
  const std::string path = set == nullptr || *set == '\0' ? folder : set + (":" + folder);
  setenv("GST_PLUGIN_PATH", path.c_str(), /*overwrite=*/1);
}

bool ReadBuildFile(const fs::path& file) {
  std::ifstream in(file);
  if (!in) return false;
  for (std::string line; std::getline(in, line);) {
    const size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    const std::string name = line.substr(0, equals), value = line.substr(equals + 1);
    if (name == "GST_PLUGIN_PATH")
      AddPluginFolder(value);
    else
      SetUnlessSet(name, value);
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
  if (fs::exists(root + TALKFACE_PLUGIN_DIR, error)) AddPluginFolder(root + TALKFACE_PLUGIN_DIR);
  if (fs::exists(root + TALKFACE_ENGINE_FILE, error))
    SetUnlessSet("TALKFACE_ENGINE", root + TALKFACE_ENGINE_FILE);
  if (!root.empty() && fs::exists(root + TALKFACE_PACK_DIR, error))
    SetUnlessSet("TALKFACE_MODEL_PATH", root + TALKFACE_PACK_DIR);
}

}  // namespace talkface::cli
