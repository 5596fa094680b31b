// SPDX-License-Identifier: MIT
// Where a library of ours lies that another one opens.
#pragma once

#include <string>

namespace talkface {

// Beside the library or program that this code is in, or where the environment variable says.
std::string LibraryPath(const char* file, const char* variable);

}  // namespace talkface
