// SPDX-License-Identifier: MIT
// The engine library's two exported functions.
#include "models/core/error.h"
#include "models/core/open.h"
#include "models/engine.h"

#define TALKFACE_EXPORT __attribute__((visibility("default")))

namespace {

void CheckCaller(uint32_t abi) {
  using talkface::kEngineAbi, talkface::kEngineAbiOldest;
  if (abi >= kEngineAbiOldest && abi <= kEngineAbi) return;
  const std::string oldest =
      kEngineAbiOldest < kEngineAbi
          ? " (and serves plugins from version " + std::to_string(kEngineAbiOldest) + " on)"
          : "";
  throw talkface::Error(talkface::Code::kUnsupported,
                        "The talkface engine has interface version " + std::to_string(kEngineAbi) +
                            oldest + ", the plugin wants " + std::to_string(abi) +
                            ": install both from one release.");
}

}  // namespace

extern "C" {

TALKFACE_EXPORT talkface::Status talkface_engine_open(uint32_t abi,
                                                      const talkface::EngineOptions* options,
                                                      talkface::Engine** out) noexcept {
  return talkface::Guard("engine open", [&] {
    CheckCaller(abi);
    talkface::OpenEngine(options, out);
  });
}

TALKFACE_EXPORT void talkface_engine_list_packs(const char* search_path,
                                                void (*visit)(void* user, const char* json),
                                                void* user) noexcept {
  talkface::Guard("list packs", [&] {
    if (visit == nullptr) return;
    talkface::ListPacks(search_path != nullptr ? search_path : "", visit, user);
  });
}

}  // extern "C"
