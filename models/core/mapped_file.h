// SPDX-License-Identifier: MIT
// A whole file in memory, read-only: pages are the page cache's, not ours.
#pragma once

#include <string>
#include <string_view>

namespace talkface {

class MappedFile {
 public:
  // Throws Error{kNotFound} naming a path that cannot be opened.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  // Empty for an empty file, and for what is no file that can be mapped.
  std::string_view bytes() const { return bytes_; }

 private:
  std::string_view bytes_;
};

}  // namespace talkface
