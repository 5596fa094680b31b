// SPDX-License-Identifier: MIT
// Owns one reference to an object of the engine.
#pragma once

#include <utility>

#include "models/engine.h"

namespace talkface {

template <typename T>
class EngineRef {
 public:
  EngineRef() = default;
  EngineRef(const EngineRef& other) : object_(other.object_) {
    if (object_ != nullptr) object_->Ref();
  }
  EngineRef(EngineRef&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  EngineRef& operator=(EngineRef other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~EngineRef() { Clear(); }

  void Clear() {
    T* object = std::exchange(object_, nullptr);
    if (object != nullptr) object->Unref();
  }
  // Where an engine call stores the reference that it hands out.
  T** Out() {
    Clear();
    return &object_;
  }
  T* get() const { return object_; }
  T* operator->() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

}  // namespace talkface
