// SPDX-License-Identifier: MIT
// A library of families of another release: whatever the engine says, it is not its own.
#include <cstddef>

extern "C" __attribute__((visibility("default"))) const void* talkface_families(const char* build,
                                                                                size_t* count);
extern "C" const void* talkface_families(const char*, size_t*) { return nullptr; }
