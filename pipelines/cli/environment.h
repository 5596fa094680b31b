// SPDX-License-Identifier: MIT
#pragma once

namespace talkface::cli {

// Sets GST_PLUGIN_PATH, TALKFACE_ENGINE and TALKFACE_MODEL_PATH to this tool's own plugin, engine
// and packs, so that it works from the build folder, from any prefix and from an unpacked package:
// from talkface-build.env beside the executable, else from the places relative to it at which they
// were installed. What the user has set stays. Call it before gst_init.
void FindOwnFiles();

}  // namespace talkface::cli
