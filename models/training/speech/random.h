// SPDX-License-Identifier: MIT
#pragma once

#include <random>

namespace talkface::training {

using Random = std::mt19937_64;

inline double Uniform(double low, double high, Random* random) {
  return std::uniform_real_distribution<double>(low, high)(*random);
}

}  // namespace talkface::training
