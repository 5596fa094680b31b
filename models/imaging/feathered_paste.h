// SPDX-License-Identifier: MIT
// Pastes a picture into another by a share for each pixel, so that no edge shows.
#pragma once

#include <cmath>
#include <cstdint>

namespace talkface::imaging {

// `count` pixels: RGBA `pixels` go over into `colours` (RGB, 0..255) by `shares` x `shown`, 0..1;
// their alpha stays.
inline void PasteRow(const float* colours, const float* shares, float shown, int count,
                     uint8_t* pixels) {
  for (int i = 0; i < count; ++i, pixels += 4, colours += 3) {
    const float mixed = shares[i] * shown;
    for (int c = 0; c < 3; ++c) {
      const auto own = static_cast<float>(pixels[c]);
      pixels[c] = static_cast<uint8_t>(std::lrintf(own + mixed * (colours[c] - own)));
    }
  }
}

}  // namespace talkface::imaging
