// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace talkface::checkpoint {

inline bool StartsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

}  // namespace talkface::checkpoint
