// SPDX-License-Identifier: MIT
// The engine library's two exported functions.
#include "models/core/error.h"
#include "models/core/open.h"
#include "models/engine.h"

#define TALKFACE_EXPORT __attribute__((visibility("default")))

extern "C" {

TALKFACE_EXPORT talkface::Status talkface_engine_open(uint32_t abi,
                                                      const talkface::EngineOptions* options,
                                                      talkface::Engine** out) noexcept {
  return talkface::Guard("engine open", [&] {
    if (abi != talkface::kEngineAbi) {
      throw talkface::Error(talkface::Code::kUnsupported,
                            "The talkface engine has interface version " +
                                std::to_string(talkface::kEngineAbi) + ", the plugin wants " +
                                std::to_string(abi) + ": install both from one release.");
    }
    talkface::OpenEngine(*options, out);
  });
}

TALKFACE_EXPORT void talkface_engine_list_packs(const char* search_path,
                                                void (*visit)(void* user, const char* json),
                                                void* user) noexcept {
  talkface::Guard("list packs", [&] {
    talkface::ListPacks(search_path != nullptr ? search_path : "", visit, user);
  });
}

}  // extern "C"
