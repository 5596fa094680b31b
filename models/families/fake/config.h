// SPDX-License-Identifier: MIT
// The "fake" section of a manifest; see family.h for the meaning of each field.
#pragma once

#include <cstdint>

#include "models/core/pack.h"

namespace talkface::fake {

constexpr uint64_t kMillisecond = 1'000'000;  // ns

struct Config {
  int64_t delay_ms = 0;
  int64_t max_batch = 1;
  int64_t fail_at_frame = -1;
  int64_t fail_speech_at_ms = -1;
  bool has_units = true;
  bool fail_open = false;
  bool fail_enrol = false;
};

// Reads and checks the section; throws Error{kBadPack} naming the field.
Config ReadConfig(const Pack& pack);

}  // namespace talkface::fake
