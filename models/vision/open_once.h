// SPDX-License-Identifier: MIT
// A family's face finder, opened by its first use: an engine that only lists itself needs no vision
// pack.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "models/vision/vision.h"

namespace talkface::vision {

// Any thread.
class OpenOnce {
 public:
  explicit OpenOnce(std::string search_path) : search_path_(std::move(search_path)) {}

  // Throws as OpenFaceFinder does; the next call tries again.
  std::shared_ptr<const FaceFinder> Get() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!finder_) finder_ = OpenFaceFinder(search_path_);
    return finder_;
  }
  // Bytes of its weights; 0 before the first use.
  uint64_t MemoryUse() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return finder_ ? finder_->MemoryUse() : 0;
  }

 private:
  const std::string search_path_;
  mutable std::mutex mutex_;                  // guards finder_
  std::shared_ptr<const FaceFinder> finder_;  // null until the first use
};

}  // namespace talkface::vision
