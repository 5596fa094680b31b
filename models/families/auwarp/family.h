// SPDX-License-Identifier: MIT
// The family "auwarp": a small speech net drives a warp of the portrait's own pixels. CPU, float32.
#pragma once

#include <memory>
#include <string>

#include "models/core/family.h"

namespace talkface::auwarp {

// "auto" and "cpu" are "cpu"; throws Error{kUnsupported} for any other.
std::string ResolveDevice(const Pack& pack, const std::string& device);

// Reads the pack's speech net. Throws Error{kBadPack} for a pack that does not hold one, and
// Error{kUnsupported} for another precision.
std::unique_ptr<Family> OpenFamily(const FamilyContext& context);

}  // namespace talkface::auwarp
