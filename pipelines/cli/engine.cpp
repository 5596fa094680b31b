// SPDX-License-Identifier: MIT
#include "pipelines/cli/engine.h"

#include "pipelines/cli/command.h"

namespace talkface::cli {
namespace {

[[noreturn]] void ThrowAndFree(GError* error) {
  const std::string message = error->message;
  g_error_free(error);
  throw Error(message);
}

}  // namespace

const EngineLibrary& EngineOrThrow() {
  GError* error = nullptr;
  const EngineLibrary* library = LoadEngine(&error);
  if (library == nullptr) ThrowAndFree(error);
  return *library;
}

void ThrowUnlessOk(const Status& status) {
  if (!status.ok()) throw Error(status.message);
}

RgbaImage ReadImage(const std::string& path) {
  GError* error = nullptr;
  RgbaImage image;
  if (!ReadImageFile(path.c_str(), &image, &error)) ThrowAndFree(error);
  return image;
}

OpenedEngine::OpenedEngine(const std::string& model, const std::string& device) {
  EngineOptions options;
  options.model = model.c_str();
  options.device = device.c_str();
  ThrowUnlessOk(EngineOrThrow().open(kEngineAbi, &options, &engine_));
}

}  // namespace talkface::cli
