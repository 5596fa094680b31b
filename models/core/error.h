// SPDX-License-Identifier: MIT
// How errors travel inside the engine: thrown as Error where they are known, turned into a Status
// by Guard at the engine's edge, and nowhere else.
#pragma once

#include <cstdio>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "models/engine.h"

namespace talkface {

class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message, std::string detail = "")
      : std::runtime_error(message), code_(code), detail_(std::move(detail)) {}
  Code code() const { return code_; }
  const std::string& detail() const { return detail_; }

 private:
  Code code_;
  std::string detail_;
};

inline Status MakeStatus(Code code, const char* message, const char* detail = "") {
  Status status;
  status.code = code;
  std::snprintf(status.message, sizeof status.message, "%s", message);
  std::snprintf(status.detail, sizeof status.detail, "%s", detail);
  return status;
}

// Runs `body` and turns whatever it throws into a Status. `where` names the call in the detail.
template <typename Body>
Status Guard(const char* where, Body&& body) noexcept {
  try {
    body();
    return Status{};
  } catch (const Error& error) {
    return MakeStatus(error.code(), error.what(),
                      error.detail().empty() ? where : error.detail().c_str());
  } catch (const std::bad_alloc&) {
    return MakeStatus(Code::kNoMemory, "Not enough memory.", where);
  } catch (const std::exception& error) {
    return MakeStatus(Code::kFailed, "The engine failed unexpectedly.", error.what());
  } catch (...) {
    return MakeStatus(Code::kFailed, "The engine failed unexpectedly.", where);
  }
}

}  // namespace talkface
