// SPDX-License-Identifier: MIT
#include "models/core/family.h"

namespace talkface {

Family::Family(const FamilyContext& context)
    : name_(context.pack.name()),
      family_(context.pack.family()),
      version_(context.pack.version()),
      licence_(context.pack.licence()),
      device_(context.device) {
  constexpr uint64_t kNsPerMs = 1'000'000;
  const PackTiming& timing = context.pack.timing();
  info.name = name_.c_str();
  info.family = family_.c_str();
  info.version = version_.c_str();
  info.licence = licence_.c_str();
  info.device = device_.c_str();
  info.sample_rate_hz = timing.sample_rate_hz;
  info.look_ahead_min_ns = timing.look_ahead_min_ms * kNsPerMs;
  info.look_ahead_default_ns = timing.look_ahead_default_ms * kNsPerMs;
  info.look_ahead_max_ns = timing.look_ahead_max_ms * kNsPerMs;
}

}  // namespace talkface
