// SPDX-License-Identifier: MIT
#include "models/fake/config.h"

#include <nlohmann/json.hpp>

namespace talkface::fake {
namespace {

struct NumberField {
  const char* name;
  int64_t Config::*field;
  int64_t low, high;
};
constexpr NumberField kNumbers[] = {
    {"delay_ms", &Config::delay_ms, 0, 10'000},
    {"max_batch", &Config::max_batch, 1, 64},
    {"fail_at_frame", &Config::fail_at_frame, -1, INT64_MAX},
    {"fail_speech_at_ms", &Config::fail_speech_at_ms, -1, INT64_MAX},
};

struct FlagField {
  const char* name;
  bool Config::*field;
};
constexpr FlagField kFlags[] = {
    {"has_units", &Config::has_units},
    {"fail_open", &Config::fail_open},
    {"fail_enrol", &Config::fail_enrol},
};

}  // namespace

Config ReadConfig(const Pack& pack) {
  Config config;
  const nlohmann::json& settings = pack.settings();
  for (const NumberField& number : kNumbers) {
    const auto found = settings.find(number.name);
    if (found == settings.end()) continue;
    const bool valid = found->is_number_integer() && found->get<int64_t>() >= number.low &&
                       found->get<int64_t>() <= number.high;
    if (!valid) {
      pack.Reject(number.name, std::to_string(number.low) + " to " + std::to_string(number.high),
                  found->dump());
    }
    config.*number.field = found->get<int64_t>();
  }
  for (const FlagField& flag : kFlags) {
    const auto found = settings.find(flag.name);
    if (found == settings.end()) continue;
    if (!found->is_boolean()) pack.Reject(flag.name, "true or false", found->dump());
    config.*flag.field = found->get<bool>();
  }
  return config;
}

}  // namespace talkface::fake
