// SPDX-License-Identifier: MIT
// libtalkface-torch.so: the families that need libtorch, for the engine to find
// (core/family_library.h).
#include <cstring>

#include "models/core/family_library.h"
#include "models/families/mftfg/family.h"

extern "C" __attribute__((visibility("default"))) const talkface::FamilyEntry* talkface_families(
    const char* build, size_t* count) noexcept {
  static constexpr talkface::FamilyEntry kFamilies[] = {
      {"mftfg", &talkface::mftfg::ResolveDevice, &talkface::mftfg::OpenFamily},
  };
  if (std::strcmp(build, talkface::kLibraryBuild) != 0) return nullptr;
  *count = sizeof kFamilies / sizeof kFamilies[0];
  return kFamilies;
}
