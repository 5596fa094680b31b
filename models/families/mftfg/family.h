// SPDX-License-Identifier: MIT
// The family "mftfg": the paper's latent diffusion, from one still portrait (docs/mftfg.md).
#pragma once

#include <memory>

#include "models/core/family.h"

namespace talkface::mftfg {

// Reads the pack's weights. Throws Error{kBadPack} for a pack that does not hold the whole model,
// and Error{kUnsupported} for a device or precision that cannot be had.
std::unique_ptr<Family> OpenFamily(const FamilyContext& context);

}  // namespace talkface::mftfg
