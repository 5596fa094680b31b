// SPDX-License-Identifier: MIT
// Finds and opens the engine, libtalkface-engine.so, when an element first needs it: the plugin
// itself stays small, and is found by GStreamer even where the engine is missing.
#pragma once

#include <glib.h>

#include "models/engine.h"

namespace talkface {

struct EngineLibrary {
  decltype(&talkface_engine_open) open;
  decltype(&talkface_engine_list_packs) list_packs;
};

// Opens the engine once a process, and keeps it until the process ends. Looked for: the file that
// the environment variable TALKFACE_ENGINE names; else ../talkface/ beside the folder of this
// plugin; else the folder it was installed to. From any thread. Returns null and sets `error`
// (GST_RESOURCE_ERROR NOT_FOUND: the engine or a library that it links is missing;
// GST_RESOURCE_ERROR OPEN_READ: it cannot be loaded; GST_LIBRARY_ERROR INIT: it is not our engine);
// the next call tries again.
const EngineLibrary* LoadEngine(GError** error);

}  // namespace talkface
