// SPDX-License-Identifier: MIT
// What libtorch throws for want of memory, as an error of ours: the frame or portrait that asked
// for it fails, and nothing else.
#pragma once

#include <c10/util/Exception.h>

#include <string>
#include <utility>

#include "models/core/error.h"

namespace talkface::nets {

struct DeviceMemory {
  std::string device;        // "cuda:0"
  uint64_t limit_bytes = 0;  // EngineOptions::device_memory_limit
};

// Runs `body` and returns what it does. Throws Error{kNoMemory} where memory is lacking.
template <typename Body>
auto WithinMemory(const DeviceMemory& memory, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const c10::OutOfMemoryError& error) {
    constexpr uint64_t kMiB = 1 << 20;
    const std::string limit =
        memory.limit_bytes == 0 ? "use fewer streams, or a smaller model."
                                : "the limit is " + std::to_string(memory.limit_bytes / kMiB) +
                                      " MiB (device-memory-limit): raise it, or use fewer streams.";
    throw Error(Code::kNoMemory, "Not enough memory on " + memory.device + ": " + limit,
                error.what_without_backtrace());
  }
}

}  // namespace talkface::nets
