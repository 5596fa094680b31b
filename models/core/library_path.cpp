// SPDX-License-Identifier: MIT
#include "models/core/library_path.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

namespace talkface {

std::string LibraryPath(const char* file, const char* variable) {
  if (const char* path = std::getenv(variable)) return path;
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&LibraryPath), &info) == 0) return file;
  return std::filesystem::path(info.dli_fname).replace_filename(file);
}

}  // namespace talkface
