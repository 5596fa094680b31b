// SPDX-License-Identifier: MIT
// A whole file in memory, read-only: pages are the page cache's, not ours.
#pragma once

#include <string>
#include <string_view>

namespace talkface::checkpoint {

class MappedFile {
 public:
  // Throws Error{kNotFound | kBadPack} naming the path.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const { return bytes_; }

 private:
  std::string_view bytes_;
};

}  // namespace talkface::checkpoint
