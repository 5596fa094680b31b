// SPDX-License-Identifier: MIT
// The GStreamer elements that a command needs, and which package brings one that is missing.
#pragma once

#include <initializer_list>

namespace talkface::cli {

// Throws Error that names the first of `elements` that is missing and what to install.
void RequireElements(std::initializer_list<const char*> elements);

}  // namespace talkface::cli
