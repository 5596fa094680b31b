// SPDX-License-Identifier: MIT
// Names that a checkpoint has no business with.
#pragma once

#include <string_view>

namespace talkface::checkpoint {

// Whether a function or class of this full name ("posix.system") could run programs or Python code
// if a pickle were loaded the usual way. Such files are refused outright; every other unknown name
// is harmless here, because nothing is ever looked up or called.
bool RunsCode(std::string_view full_name);

}  // namespace talkface::checkpoint
