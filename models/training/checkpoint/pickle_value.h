// SPDX-License-Identifier: MIT
// What a pickle holds, as plain data. Values refer to each other by number, so lists that hold
// themselves and very deep nesting cost nothing to keep or to free.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace talkface::checkpoint {

using ValueId = uint32_t;

struct Value {
  enum class Kind : uint8_t {
    kNone,
    kBool,
    kInt,
    kText,
    kBytes,
    kTuple,
    kList,
    kDict,
    kGlobal,   // a class or function by name; never looked up
    kStorage,  // `number` counts the checkpoint's storages
    kTensor,   // `number` counts the checkpoint's tensors
    kUnknown,  // an object that we do not know, inert; `text` says what it would have been
  };
  Kind kind = Kind::kNone;
  uint16_t depth = 0;  // of nesting below
  int64_t number = 0;
  std::string_view text;       // in the pickle's own bytes or in PickleHeap::names
  std::vector<ValueId> items;  // of tuples and lists; keys and values of dicts in turn
};

struct PickleHeap {
  std::deque<Value> values;
  std::deque<std::string> names;

  const Value& operator[](ValueId id) const { return values[id]; }
  // An inert value that remembers what it was to be: the begin of it, since such texts are made of
  // each other.
  Value Unknown(std::string what) {
    constexpr size_t kMaxBytes = 512;
    if (what.size() > kMaxBytes) what.resize(kMaxBytes);
    Value value;
    value.kind = Value::Kind::kUnknown;
    value.text = names.emplace_back(std::move(what));
    return value;
  }
};

}  // namespace talkface::checkpoint
