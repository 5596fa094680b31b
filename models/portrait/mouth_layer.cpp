// SPDX-License-Identifier: MIT
#include "models/portrait/mouth_layer.h"

#include <algorithm>

namespace talkface::portrait {

void MouthLayer::Part(const MouthMotion& motion, size_t count, const float* v, float* upper,
                      float* lower) const {
  std::copy_n(v, count, upper);
  std::copy_n(v, count, lower);
}

}  // namespace talkface::portrait
