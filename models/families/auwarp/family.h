// SPDX-License-Identifier: MIT
// The family "auwarp": a small speech net drives a warp of the portrait's own pixels. CPU, float32.
#pragma once

#include <memory>

#include "models/core/family.h"

namespace talkface::auwarp {

// Reads the pack's speech net. Throws Error{kBadPack} for a pack that does not hold one, and
// Error{kUnsupported} for another device or precision.
std::unique_ptr<Family> OpenFamily(const FamilyContext& context);

}  // namespace talkface::auwarp
