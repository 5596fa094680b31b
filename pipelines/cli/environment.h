// SPDX-License-Identifier: MIT
#pragma once

namespace talkface::cli {

// Adds this tool's own plugin, engine and packs to GST_PLUGIN_PATH_1_0, TALKFACE_ENGINE and
// TALKFACE_MODEL_PATH, so that it works from the build folder, from any prefix and from an unpacked
// package. They are found by talkface-build.env beside the executable, else at the places relative
// to it at which they were installed. What the user has set goes first. Call it before gst_init.
void FindOwnFiles();

}  // namespace talkface::cli
