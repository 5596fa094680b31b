// SPDX-License-Identifier: MIT
// Structs of models/engine.h cross it with their size in front, as their writer knew it: a caller
// of an older version has a smaller one, whose memory ends where it says.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "models/core/error.h"

namespace talkface {

// What is outside these is memory that was never written.
constexpr uint32_t kLeastSize = 8, kMostSize = 1 << 20;

[[noreturn]] inline void RejectNull(const std::string& argument) {
  throw Error(Code::kInvalid, "The argument " + argument + " is null.");
}

// Throws Error{kInvalid} for a null pointer, calling it by the argument's name.
template <typename T>
T* NotNull(T* pointer, const char* argument) {
  if (pointer == nullptr) RejectNull(argument);
  return pointer;
}

// How many bytes of the struct both sides know. Throws Error{kInvalid} where it is null or `size`
// was not filled in.
template <typename T>
uint32_t SharedSize(const T* crossing, const char* argument) {
  static_assert(std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T>);
  static_assert(offsetof(T, size) == 0 && sizeof(T) <= kMostSize);
  uint32_t size = 0;
  std::memcpy(&size, static_cast<const void*>(NotNull(crossing, argument)), sizeof size);
  if (size < kLeastSize || size > kMostSize || size % 4 != 0) {
    throw Error(Code::kInvalid, "The size of the argument " + std::string(argument) + " is " +
                                    std::to_string(size) +
                                    ": its field `size` must be the struct's sizeof.");
  }
  return std::min<uint32_t>(size, sizeof(T));
}

// The caller's struct as ours: fields that it does not have keep their defaults.
template <typename T>
T ReadSized(const T* in, const char* argument) {
  T copy;
  std::memcpy(static_cast<void*>(&copy), static_cast<const void*>(in), SharedSize(in, argument));
  copy.size = sizeof(T);
  return copy;
}

// Ours into the caller's, as far as that reaches; its size stays what it was.
template <typename T>
void WriteSized(const T& value, T* out, const char* argument) {
  const uint32_t shared = SharedSize(out, argument);
  constexpr size_t kFirst = sizeof(uint32_t);
  std::memcpy(reinterpret_cast<char*>(out) + kFirst, reinterpret_cast<const char*>(&value) + kFirst,
              shared - kFirst);
}

}  // namespace talkface
