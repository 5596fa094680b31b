// SPDX-License-Identifier: MIT
// A family's own settings as they cross the engine's interface: keys and values in words.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "models/engine.h"

namespace talkface {

class Options {
 public:
  Options() = default;
  // Of what a caller gave. Throws Error{kInvalid} for null words, for a key given twice, and for
  // one that is not among those of `info`.
  Options(const Option* options, uint64_t count, const EngineInfo& info);

  void Set(const std::string& key, int64_t value) { values_[key] = std::to_string(value); }
  // The value of `key`; `otherwise` where it was not given. Throws Error{kInvalid} that names key
  // and value for anything but a whole number from `low` to `high`.
  int64_t Whole(const std::string& key, int64_t low, int64_t high, int64_t otherwise) const;

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace talkface
