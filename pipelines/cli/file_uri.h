// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace talkface::cli {

// The file's URI, for uridecodebin. Throws Error.
std::string FileUri(const std::string& path);

}  // namespace talkface::cli
