// SPDX-License-Identifier: MIT
// A file that appears whole or not at all.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include "models/core/error.h"

namespace talkface {

// Written under a temporary name beside `path`; Commit() gives it its own. Without Commit(), by an
// error on the way for example, nothing stays.
class PartFile {
 public:
  explicit PartFile(const std::string& path) : path_(path), part_(path + ".part") {
    out_.open(part_, std::ios::binary | std::ios::trunc);
  }
  ~PartFile() {
    if (!committed_) ::unlink(part_.c_str());
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  std::ofstream& out() { return out_; }
  // Throws Error{kFailed} naming the path where anything could not be written.
  void Commit() {
    const bool written = out_.good();
    out_.close();
    if (!written || !out_ || ::rename(part_.c_str(), path_.c_str()) != 0) {
      throw Error(Code::kFailed, "Cannot write " + path_ + ": " + std::strerror(errno) + ".");
    }
    committed_ = true;
  }

 private:
  std::string path_, part_;
  std::ofstream out_;
  bool committed_ = false;
};

}  // namespace talkface
