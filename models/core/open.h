// SPDX-License-Identifier: MIT
// What the library's C entry (entry.cpp) calls.
#pragma once

#include <string>

#include "models/engine.h"

namespace talkface {

// Opens or shares an engine; throws Error, of kInvalid for arguments that cannot be.
void OpenEngine(const EngineOptions* options, Engine** out);

// JSON facts of every pack on the search path, one call each; see talkface_engine_list_packs.
void ListPacks(const std::string& extra_path, void (*visit)(void* user, const char* json),
               void* user);

}  // namespace talkface
