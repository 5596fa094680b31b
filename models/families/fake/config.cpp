// SPDX-License-Identifier: MIT
#include "models/families/fake/config.h"

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
  for (const NumberField& number : kNumbers) {
    const JsonField field = pack.Setting(number.name);
    if (field.Exists()) config.*number.field = field.Whole(number.low, number.high);
  }
  for (const FlagField& flag : kFlags) {
    const JsonField field = pack.Setting(flag.name);
    if (field.Exists()) config.*flag.field = field.Flag();
  }
  return config;
}

}  // namespace talkface::fake
