// SPDX-License-Identifier: MIT
// Families that live in libraries of their own beside the engine, because they need what the engine
// does without. Such a library is opened with the first pack of one of its families, and never
// closed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "models/core/family.h"

namespace talkface {

// What the engine and its libraries must agree on: C++ objects cross between them.
constexpr char kLibraryBuild[] = TALKFACE_VERSION "-4";

// The library's one function, "talkface_families": its families, or null where `build` is not its
// own kLibraryBuild.
using FamiliesFunction = const FamilyEntry* (*)(const char* build, size_t* count) noexcept;

// The entry of a pack's family, wherever it lives. Any thread. Throws Error{kUnsupported} for a
// family that nobody has, Error{kNotFound} with one line of advice where its library, or what that
// needs, is not there.
const FamilyEntry& FamilyOf(const Pack& pack);

// Why FamilyOf would find no library for the pack's family, or "": looks without opening it.
std::string MissingLibrary(const Pack& pack);

}  // namespace talkface
