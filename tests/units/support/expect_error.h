// SPDX-License-Identifier: MIT
// EXPECT_ERROR(statement, code, parts...): the statement throws Error of that code, and its text
// holds every part.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "models/core/error.h"

namespace talkface::test {

template <typename Body>
void ExpectError(const char* file, int line, Body&& body, Code code,
                 std::initializer_list<std::string> parts) {
  ::testing::ScopedTrace trace(file, line, "expected here");
  try {
    body();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
    for (const std::string& part : parts) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
          << "'" << part << "' is not in: " << error.what();
    }
  }
}

}  // namespace talkface::test

#define EXPECT_ERROR(statement, code, ...) \
  ::talkface::test::ExpectError(__FILE__, __LINE__, [&] { statement; }, code, {__VA_ARGS__})
