// SPDX-License-Identifier: MIT
// talkface devices: what `--device` can name here.
#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include "pipelines/cli/command.h"
#include "pipelines/cli/paths.h"

namespace talkface::cli {
namespace {

std::string CpuName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    const size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "CPU";
}

#if TALKFACE_CUDA
template <typename Function>
Function Symbol(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

// The driver's C API, opened at run time so that the tool needs no CUDA to be built or started.
void PrintCudaDevices() {
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver == nullptr) {
    printf("cuda    none: no NVIDIA driver here (libcuda.so.1)\n");
    return;
  }
  const auto init = Symbol<int (*)(unsigned)>(driver, "cuInit");
  const auto count_of = Symbol<int (*)(int*)>(driver, "cuDeviceGetCount");
  const auto device_at = Symbol<int (*)(int*, int)>(driver, "cuDeviceGet");
  const auto name_of = Symbol<int (*)(char*, int, int)>(driver, "cuDeviceGetName");
  const auto memory_of = Symbol<int (*)(size_t*, int)>(driver, "cuDeviceTotalMem_v2");
  int count = 0;
  if (!init || !count_of || !device_at || !name_of || !memory_of) {
    printf("cuda    none: libcuda.so.1 is not a CUDA driver\n");
  } else if (const int code = init(0); code != 0 || count_of(&count) != 0 || count == 0) {
    printf("cuda    none: the NVIDIA driver finds no device (cuInit: %d)\n", code);
  }
  for (int i = 0; i < count; ++i) {
    int device = 0;
    char name[256] = "unknown";
    size_t bytes = 0;
    if (device_at(&device, i) != 0) continue;
    name_of(name, sizeof name, device);
    memory_of(&bytes, device);
    printf("cuda:%d  %s, %.1f GiB\n", i, name, static_cast<double>(bytes) / (uint64_t{1} << 30));
  }
  dlclose(driver);
}
#endif

int RunDevices() {
  const unsigned cores = std::thread::hardware_concurrency();
  printf("cpu     %s, %u core%s\n", CpuName().c_str(), cores, cores == 1 ? "" : "s");
#if TALKFACE_CUDA
  PrintCudaDevices();
#endif
  return 0;
}

}  // namespace

void AddDevices(CLI::App* app, Command* chosen) {
  app->add_subcommand("devices", "List the devices that --device can name")->callback([chosen] {
    *chosen = RunDevices;
  });
}

}  // namespace talkface::cli
