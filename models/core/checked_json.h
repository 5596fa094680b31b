// SPDX-License-Identifier: MIT
// JSON as files hold it, read with its types and ranges checked: nlohmann's own get<> casts what
// does not fit, and what that gives is undefined. Every error is an Error{kBadPack} that names file
// and field, what was wanted and what is there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace talkface {

// Reads `text`, which `name` stands for in messages. Refuses what is nested deeper than any of our
// files, as much of nlohmann's code calls itself once a level, and objects that have a key twice.
nlohmann::json ParseJson(const std::string& name, std::string_view text);

// A value and where it stands, or the place where one is missing: every getter then says so. The
// document must outlive it.
class JsonField {
 public:
  // The document itself, or the part of it at `field`: messages call it NAME, or "NAME: FIELD".
  JsonField(const std::string& name, const nlohmann::json& value, const std::string& field = "")
      : name_(name), field_(field), value_(&value) {}

  bool Exists() const { return value_ != nullptr; }
  // The last part of the field's name.
  const std::string& key() const { return key_; }
  // A field of this object; one need not exist.
  JsonField At(const std::string& key) const;
  // All fields of this object, all entries of this list.
  std::vector<JsonField> Fields() const;
  std::vector<JsonField> Entries() const;

  int64_t Whole(int64_t low, int64_t high) const;
  double Number(double low, double high) const;
  bool Flag() const;
  std::string Text() const;
  std::string NonEmptyText() const;
  // One of the words: its place among them.
  size_t Word(const std::vector<std::string>& words) const;
  // A list of `least` to `most` whole numbers.
  std::vector<int64_t> Wholes(size_t least, size_t most, int64_t low, int64_t high) const;

  // "NAME: FIELD is [1,2], wanted WANTED."
  [[noreturn]] void Reject(const std::string& wanted) const;

 private:
  JsonField(const JsonField& parent, const std::string& key, const std::string& field,
            const nlohmann::json* value)
      : name_(parent.name_), field_(field), key_(key), value_(value) {}
  const nlohmann::json& Object() const;
  bool IsWhole(int64_t low, int64_t high) const;

  std::string name_, field_, key_;
  const nlohmann::json* value_;
};

// What Whole and Wholes say they want.
std::string WantedWhole(int64_t low, int64_t high);
std::string WantedWholes(size_t least, size_t most, int64_t low, int64_t high);

}  // namespace talkface
