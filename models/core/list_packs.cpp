// SPDX-License-Identifier: MIT
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "models/core/family_library.h"
#include "models/core/open.h"

namespace talkface {
namespace {

// Name, family and the rest of one pack, or the reason why it cannot be used.
nlohmann::json Describe(const std::string& folder) {
  nlohmann::json facts = {{"name", std::filesystem::path(folder).filename()},
                          {"version", ""},
                          {"family", ""},
                          {"licence", ""},
                          {"folder", folder},
                          {"error", ""}};
  try {
    const auto pack = Pack::Open(folder, "");
    facts["name"] = pack->name();
    facts["version"] = pack->version();
    facts["family"] = pack->family();
    facts["licence"] = pack->licence();
    facts["error"] = MissingLibrary(*pack);
  } catch (const Error& error) {
    facts["error"] = error.what();
  }
  return facts;
}

}  // namespace

void ListPacks(const std::string& extra_path, void (*visit)(void* user, const char* json),
               void* user) {
  std::set<std::string> seen;
  for (const std::string& place : PackSearchPath(extra_path)) {
    std::vector<std::string> folders;
    std::error_code ignored;  // a search folder that is not there holds no packs
    for (const auto& entry : std::filesystem::directory_iterator(place, ignored)) {
      if (std::filesystem::exists(entry.path() / "manifest.json", ignored))
        folders.push_back(entry.path());
    }
    std::sort(folders.begin(), folders.end());
    for (const std::string& folder : folders) {
      if (!seen.insert(std::filesystem::weakly_canonical(folder, ignored)).second) continue;
      const std::string json =
          Describe(folder).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      visit(user, json.c_str());
    }
  }
}

}  // namespace talkface
