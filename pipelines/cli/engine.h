// SPDX-License-Identifier: MIT
// The engine, for the commands that use it without a pipeline.
#pragma once

#include <string>

#include "gst/engine_loader.h"
#include "gst/image_file.h"
#include "models/engine.h"

namespace talkface::cli {

// The functions below throw Error (command.h) with the sentence of what failed.
const EngineLibrary& EngineOrThrow();
void ThrowUnlessOk(const Status& status);
RgbaImage ReadImage(const std::string& path);

// Opens a pack; holds the one reference to its engine.
class OpenedEngine {
 public:
  OpenedEngine(const std::string& model, const std::string& device);
  ~OpenedEngine() { engine_->Unref(); }
  OpenedEngine(const OpenedEngine&) = delete;
  OpenedEngine& operator=(const OpenedEngine&) = delete;
  Engine* operator->() const { return engine_; }

 private:
  Engine* engine_ = nullptr;
};

}  // namespace talkface::cli
