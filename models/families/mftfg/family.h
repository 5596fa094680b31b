// SPDX-License-Identifier: MIT
// The family "mftfg": the paper's latent diffusion, from one still portrait (docs/mftfg.md).
#pragma once

#include <memory>
#include <string>

#include "models/core/family.h"

namespace talkface::mftfg {

// "auto" and "cpu" are "cpu", "cuda" is "cuda:0". Throws Error{kUnsupported} for a device that is
// not here, and for any other name.
std::string ResolveDevice(const Pack& pack, const std::string& device);

// Reads the pack's weights. Throws Error{kBadPack} for a pack that does not hold the whole model,
// and Error{kUnsupported} for a precision that cannot be had.
std::unique_ptr<Family> OpenFamily(const FamilyContext& context);

}  // namespace talkface::mftfg
