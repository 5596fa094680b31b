// SPDX-License-Identifier: MIT
#include "models/torch/accelerator.h"

#include <dlfcn.h>

#include "models/core/error.h"
#include "models/core/library_path.h"

namespace talkface::nets {
namespace {

[[noreturn]] void Unsupported(const std::string& why) {
  throw Error(Code::kUnsupported, "talkface's CUDA part cannot be used: " + why);
}

}  // namespace

std::unique_ptr<Accelerator> OpenCudaAccelerator(int index, uint64_t memory_limit) {
  const std::string path = LibraryPath("libtalkface-cuda.so", "TALKFACE_CUDA");
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);  // never closed
  if (library == nullptr) Unsupported(dlerror());
  const auto open = reinterpret_cast<OpenCudaFunction>(dlsym(library, "talkface_cuda_open"));
  if (open == nullptr) Unsupported(path + " is another library.");
  Accelerator* accelerator = nullptr;
  const Status status = open(kEngineAbi, index, memory_limit, &accelerator);
  if (!status.ok()) throw Error(status.code, status.message, status.detail);
  return std::unique_ptr<Accelerator>(accelerator);
}

}  // namespace talkface::nets
