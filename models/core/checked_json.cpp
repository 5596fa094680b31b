// SPDX-License-Identifier: MIT
#include "models/core/checked_json.h"

#include <nlohmann/json.hpp>
#include <set>

#include "models/core/error.h"

namespace talkface {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 32;
constexpr size_t kMaxShown = 60;  // characters of a wrong value

// What the value looks like, in ASCII so that it may be cut anywhere.
std::string Shown(const json& value) {
  std::string text = value.dump(-1, ' ', /*ensure_ascii=*/true);
  if (text.size() > kMaxShown) text = text.substr(0, kMaxShown) + "...";
  return text;
}

// Looks at each step of the parser.
class ParserGuard {
 public:
  explicit ParserGuard(const std::string& name) : name_(name) {}

  bool operator()(int depth, json::parse_event_t event, const json& parsed) {
    if (depth > kMaxDepth) {
      throw Error(Code::kBadPack,
                  name_ + " is nested deeper than " + std::to_string(kMaxDepth) + " levels.");
    }
    if (event == json::parse_event_t::object_start) keys_.emplace_back();
    if (event == json::parse_event_t::object_end) keys_.pop_back();
    if (event == json::parse_event_t::key && !keys_.back().insert(parsed).second) {
      throw Error(Code::kBadPack, name_ + " has the key '" + std::string(parsed) + "' twice.");
    }
    return true;
  }

 private:
  std::string name_;
  std::vector<std::set<std::string>> keys_;  // of the objects that are open
};

}  // namespace

json ParseJson(const std::string& name, std::string_view text) {
  ParserGuard guard(name);
  try {
    return json::parse(text.begin(), text.end(),
                       [&guard](int depth, json::parse_event_t event, json& parsed) {
                         return guard(depth, event, parsed);
                       });
  } catch (const json::exception& error) {
    throw Error(Code::kBadPack, name + " is not valid JSON.", error.what());
  }
}

std::string WantedWhole(int64_t low, int64_t high) {
  if (low == high) return std::to_string(low);
  return std::to_string(low) + " to " + std::to_string(high);
}

std::string WantedWholes(size_t least, size_t most, int64_t low, int64_t high) {
  const std::string count =
      least == 0 ? "up to " + std::to_string(most)
                 : WantedWhole(static_cast<int64_t>(least), static_cast<int64_t>(most));
  return count + " numbers, each " + WantedWhole(low, high);
}

void JsonField::Reject(const std::string& wanted) const {
  throw Error(Code::kBadPack, name_ + (field_.empty() ? "" : ": " + field_) + " is " +
                                  (Exists() ? Shown(*value_) : "missing") + ", wanted " + wanted +
                                  ".");
}

const json& JsonField::Object() const {
  if (!Exists() || !value_->is_object()) Reject("an object");
  return *value_;
}

JsonField JsonField::At(const std::string& key) const {
  const auto found = Object().find(key);
  return {*this, key, (field_.empty() ? "" : field_ + ".") + key,
          found == Object().end() ? nullptr : &*found};
}

std::vector<JsonField> JsonField::Fields() const {
  std::vector<JsonField> fields;
  for (const auto& [key, value] : Object().items()) fields.push_back(At(key));
  return fields;
}

std::vector<JsonField> JsonField::Entries() const {
  if (!Exists() || !value_->is_array()) Reject("a list");
  std::vector<JsonField> entries;
  for (const json& value : *value_) {
    const std::string key = std::to_string(entries.size());
    entries.push_back({*this, key, field_ + "[" + key + "]", &value});
  }
  return entries;
}

bool JsonField::IsWhole(int64_t low, int64_t high) const {
  if (!Exists() || !value_->is_number_integer()) return false;
  if (value_->is_number_unsigned() && value_->get<uint64_t>() > uint64_t{INT64_MAX}) return false;
  const auto number = value_->get<int64_t>();
  return number >= low && number <= high;
}

int64_t JsonField::Whole(int64_t low, int64_t high) const {
  if (!IsWhole(low, high)) Reject(WantedWhole(low, high));
  return value_->get<int64_t>();
}

double JsonField::Number(double low, double high) const {
  if (!Exists() || !value_->is_number() || !(value_->get<double>() >= low) ||
      !(value_->get<double>() <= high)) {
    Reject(Shown(low) + " to " + Shown(high));
  }
  return value_->get<double>();
}

bool JsonField::Flag() const {
  if (!Exists() || !value_->is_boolean()) Reject("true or false");
  return value_->get<bool>();
}

std::string JsonField::Text() const {
  if (!Exists() || !value_->is_string()) Reject("a text");
  return value_->get<std::string>();
}

std::string JsonField::NonEmptyText() const {
  if (!Exists() || !value_->is_string() || Text().empty()) Reject("a text that is not empty");
  return Text();
}

size_t JsonField::Word(const std::vector<std::string>& words) const {
  std::string wanted;
  for (size_t i = 0; i < words.size(); ++i) {
    if (Exists() && *value_ == words[i]) return i;
    wanted += (i > 0 ? " or " : "") + Shown(words[i]);
  }
  Reject(wanted);
}

std::vector<int64_t> JsonField::Wholes(size_t least, size_t most, int64_t low, int64_t high) const {
  const std::string wanted = WantedWholes(least, most, low, high);
  if (!Exists() || !value_->is_array() || value_->size() < least || value_->size() > most)
    Reject(wanted);
  std::vector<int64_t> numbers;
  for (const JsonField& entry : Entries()) {
    if (!entry.IsWhole(low, high)) Reject(wanted);
    numbers.push_back(entry.value_->get<int64_t>());
  }
  return numbers;
}

}  // namespace talkface
