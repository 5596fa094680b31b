// SPDX-License-Identifier: MIT
// Where the bytes of a frame lie.
#pragma once

#include <cstddef>
#include <vector>

#include "models/engine.h"

namespace talkface {

struct PlaneSize {
  size_t row_bytes, rows;
};

// The planes of a frame in the format's own order: I420 is Y U V, YV12 is Y V U, NV12 is Y UV. Odd
// sizes round the chroma up. Throws Error{kInvalid} for a format that there is not.
std::vector<PlaneSize> PlanesOf(const TargetFormat& target);

}  // namespace talkface
