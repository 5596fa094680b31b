// SPDX-License-Identifier: MIT
// Checks what the pack mediapipe-face says of its nets against the nets. Each call throws
// Error{kBadPack} naming the field, what was wanted and what is there.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "models/core/pack.h"

namespace talkface::vision {

// A net's input must be side x side x 3, `field` having said so.
void RequireInput(const Pack& pack, const std::string& field, const std::array<int64_t, 3>& shape,
                  int side);
// A net's outputs hold `got` numbers each, and must hold `counts`.
void RequireOutputs(const Pack& pack, const std::string& file, const std::vector<size_t>& got,
                    const std::vector<size_t>& counts);

}  // namespace talkface::vision
