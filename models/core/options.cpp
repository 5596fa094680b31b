// SPDX-License-Identifier: MIT
#include "models/core/options.h"

#include <charconv>
#include <cstring>
#include <string>

#include "models/core/error.h"
#include "models/core/sized.h"

namespace talkface {
namespace {

constexpr uint64_t kMostOptions = 1000;  // more is memory that was never written

// "sampler-steps", of all that the family takes.
std::string KnownKeys(const EngineInfo& info) {
  std::string keys;
  for (uint32_t i = 0; i < info.option_count; ++i)
    keys += (i > 0 ? ", " : "") + std::string(info.options[i].key);
  return keys;
}

void CheckKnown(const std::string& key, const EngineInfo& info) {
  for (uint32_t i = 0; i < info.option_count; ++i)
    if (key == info.options[i].key) return;
  const std::string known = KnownKeys(info);
  throw Error(Code::kInvalid,
              "The model '" + std::string(info.name) + "' has no option '" + key +
                  "': " + (known.empty() ? "it has none." : "it has " + known + "."));
}

}  // namespace

Options::Options(const Option* options, uint64_t count, const EngineInfo& info) {
  if (count > kMostOptions) {
    throw Error(Code::kInvalid, "options.option_count is " + std::to_string(count) + ", wanted " +
                                    std::to_string(kMostOptions) + " or less.");
  }
  if (count > 0) NotNull(options, "options.options");
  for (uint64_t i = 0; i < count; ++i) {
    const std::string key = NotNull(options[i].key, "options.options.key");
    CheckKnown(key, info);
    const bool added =
        values_.emplace(key, NotNull(options[i].value, "options.options.value")).second;
    if (!added) throw Error(Code::kInvalid, "The option '" + key + "' is given twice.");
  }
}

int64_t Options::Whole(const std::string& key, int64_t low, int64_t high, int64_t otherwise) const {
  const auto found = values_.find(key);
  if (found == values_.end()) return otherwise;
  const std::string& text = found->second;
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc() || rest != end || value < low || value > high) {
    throw Error(Code::kInvalid, "The option '" + key + "' is '" + text +
                                    "', wanted a whole number from " + std::to_string(low) +
                                    " to " + std::to_string(high) + ".");
  }
  return value;
}

}  // namespace talkface
