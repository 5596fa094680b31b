// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "models/core/pack.h"

namespace talkface {
namespace {

void AddFolders(const std::string& text, std::vector<std::string>* folders) {
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find(':', begin), text.size());
    if (end > begin) folders->push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

std::vector<std::string> PackSearchPath(const std::string& extra) {
  std::vector<std::string> folders;
  AddFolders(extra, &folders);
  AddFolders(Environment("TALKFACE_MODEL_PATH"), &folders);
  const std::string data_home = Environment("XDG_DATA_HOME");
  const std::string home = Environment("HOME");
  if (!data_home.empty()) {
    folders.push_back(data_home + "/talkface/packs");
  } else if (!home.empty()) {
    folders.push_back(home + "/.local/share/talkface/packs");
  }
  folders.push_back(TALKFACE_PACK_DIR);
  return folders;
}

}  // namespace talkface
