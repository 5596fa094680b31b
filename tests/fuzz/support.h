// SPDX-License-Identifier: MIT
// What the fuzz targets share. A target is libFuzzer's own function, LLVMFuzzerTestOneInput: any
// input must be read, or refused with an Error, within little time and memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <string_view>

#include "models/core/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace talkface::test {

inline std::string_view Input(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Stops the program where a promise of the reader is broken.
inline void Require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", promise);
  std::abort();
}

// Runs a reader, whose only exception is Error; any other is a finding.
template <typename Body>
void ReadOrRefuse(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    Require(*error.what() != '\0', "an error says what is wrong");
  }
}

// Touches every byte, for the sanitizers.
inline void Touch(const void* data, size_t size) {
  const auto* bytes = static_cast<const volatile uint8_t*>(data);
  for (size_t i = 0; i < size; ++i) static_cast<void>(bytes[i]);
}

// Counts what is written to it.
class Counter : public std::streambuf {
 public:
  uint64_t bytes() const { return bytes_; }

 protected:
  std::streamsize xsputn(const char* data, std::streamsize size) override {
    Touch(data, static_cast<size_t>(size));
    bytes_ += static_cast<uint64_t>(size);
    return size;
  }
  int_type overflow(int_type byte) override {
    ++bytes_;
    return traits_type::not_eof(byte);
  }

 private:
  uint64_t bytes_ = 0;
};

}  // namespace talkface::test
