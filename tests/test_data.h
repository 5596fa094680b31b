// SPDX-License-Identifier: MIT
// Files of tests/data, and what TALKFACE_TEST_DATA adds to them.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace talkface::testing {

// tests/data of the sources that TALKFACE_SOURCE names, by default the working folder.
inline std::string DataFolder() {
  const char* source = std::getenv("TALKFACE_SOURCE");
  return std::string(source ? source : ".") + "/tests/data";
}

// The path of `name` below tests/data. Throws where it is no file.
inline std::string DataFile(const std::string& name) {
  const std::string path = DataFolder() + "/" + name;
  if (!std::filesystem::is_regular_file(path)) {
    throw std::runtime_error(path + " is missing: it is part of the sources, restore it " +
                             "(TALKFACE_SOURCE names the sources' folder)");
  }
  return path;
}

// The paths of all files in a sub-folder of tests/data, and of those with other names in that of
// TALKFACE_TEST_DATA, which may lack it. Throws where tests/data has none.
inline std::vector<std::string> DataFiles(const std::string& folder) {
  std::map<std::string, std::string> paths;  // by file name
  const auto add = [&](const std::string& parent) {
    if (!std::filesystem::is_directory(parent + "/" + folder)) return;
    for (const auto& entry : std::filesystem::directory_iterator(parent + "/" + folder))
      if (entry.is_regular_file()) paths.emplace(entry.path().filename(), entry.path());
  };
  add(DataFolder());
  if (paths.empty()) throw std::runtime_error(DataFolder() + "/" + folder + " holds no files");
  const char* more = std::getenv("TALKFACE_TEST_DATA");
  if (more != nullptr && more[0] != '\0') add(more);
  std::vector<std::string> files;
  for (const auto& [name, path] : paths) files.push_back(path);
  return files;
}

}  // namespace talkface::testing
