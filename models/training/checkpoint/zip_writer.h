// SPDX-License-Identifier: MIT
// A zip container as PyTorch reads it: stored entries, data aligned to 64 bytes, zip64 where
// needed.
#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace talkface::checkpoint {

class ZipWriter {
 public:
  // `out` can seek; its errors are the caller's to look at.
  explicit ZipWriter(std::ostream* out) : out_(*out) {}
  void Add(const std::string& name, const std::string& data);
  // `write` writes exactly `size` bytes; throws Error{kFailed} where it does not.
  void Add(const std::string& name, uint64_t size, const std::function<void(std::ostream&)>& write);
  // Writes the directory. Nothing may be added after it.
  void Finish();

 private:
  struct Entry {
    std::string name;
    uint64_t size, local;
    uint32_t crc32;
  };
  void WriteLocalHeader(const Entry& entry, uint64_t data_at);
  std::ostream& out_;
  uint64_t at_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace talkface::checkpoint
