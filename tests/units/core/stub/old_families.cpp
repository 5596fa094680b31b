// SPDX-License-Identifier: MIT
// A library of families of another release: whatever the engine says, it is not its own.
#include "models/core/family.h"

extern "C" __attribute__((visibility("default"))) const talkface::FamilyEntry* talkface_families(
    const char*, size_t*) noexcept {
  return nullptr;
}
