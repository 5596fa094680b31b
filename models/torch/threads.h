// SPDX-License-Identifier: MIT
#pragma once

#include <ATen/Parallel.h>

namespace talkface::nets {

// How many threads libtorch's operators use when this thread calls them.
inline void UseThreads(int count) {
  if (at::get_num_threads() != count) at::set_num_threads(count);
}

}  // namespace talkface::nets
