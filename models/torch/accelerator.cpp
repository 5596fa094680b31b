// SPDX-License-Identifier: MIT
#include "models/torch/accelerator.h"

#include <dlfcn.h>

#include <cstdlib>

#include "models/core/error.h"

namespace talkface::nets {
namespace {

constexpr char kLibrary[] = "libtalkface-cuda.so";

// Beside the library or program that this code is in, or where TALKFACE_CUDA says.
std::string LibraryPath() {
  if (const char* path = std::getenv("TALKFACE_CUDA")) return path;
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&OpenCudaAccelerator), &info) == 0) return kLibrary;
  const std::string here = info.dli_fname;
  const size_t slash = here.rfind('/');
  return slash == std::string::npos ? kLibrary : here.substr(0, slash + 1) + kLibrary;
}

[[noreturn]] void Unsupported(const std::string& why) {
  throw Error(Code::kUnsupported, "talkface's CUDA part cannot be used: " + why);
}

}  // namespace

std::unique_ptr<Accelerator> OpenCudaAccelerator(int index, uint64_t memory_limit) {
  const std::string path = LibraryPath();
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
