// SPDX-License-Identifier: MIT
#include "models/families/mftfg/model/noise.h"

#include <algorithm>
#include <cmath>

namespace talkface::mftfg {
namespace {

constexpr uint32_t kMultipliers[2] = {0xD2511F53u, 0xCD9E8D57u};
constexpr uint32_t kWeyl[2] = {0x9E3779B9u, 0xBB67AE85u};
constexpr double kTurn = 6.283185307179586476925;

// 32 random bits to the open interval (0, 1).
double Uniform(uint32_t bits) { return (bits + 0.5) / 4294967296.0; }

// Two normal numbers out of two words.
void BoxMuller(uint32_t first, uint32_t second, float* out) {
  const double radius = std::sqrt(-2 * std::log(Uniform(first)));
  const double angle = kTurn * Uniform(second);
  out[0] = static_cast<float>(radius * std::cos(angle));
  out[1] = static_cast<float>(radius * std::sin(angle));
}

}  // namespace

std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = static_cast<uint64_t>(kMultipliers[0]) * counter[0];
    const uint64_t b = static_cast<uint64_t>(kMultipliers[1]) * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += kWeyl[0];
    key[1] += kWeyl[1];
  }
  return counter;
}

torch::Tensor Noise::Draw(const std::vector<uint64_t>& frames, uint32_t draw,
                          torch::IntArrayRef shape) const {
  const std::array<uint32_t, 2> key = {static_cast<uint32_t>(seed_),
                                       static_cast<uint32_t>(seed_ >> 32)};
  const int64_t count = c10::multiply_integers(shape);
  std::vector<int64_t> sizes = shape.vec();
  sizes.insert(sizes.begin(), static_cast<int64_t>(frames.size()));
  torch::Tensor out = torch::empty(sizes, torch::kFloat32);
  float* to = out.data_ptr<float>();
  for (uint64_t frame : frames) {
    for (int64_t i = 0; i < count; i += 4) {
      const auto words = Philox({static_cast<uint32_t>(i / 4), draw, static_cast<uint32_t>(frame),
                                 static_cast<uint32_t>(frame >> 32)},
                                key);
      float normals[4];
      BoxMuller(words[0], words[1], normals);
      BoxMuller(words[2], words[3], normals + 2);
      std::copy(normals, normals + std::min<int64_t>(4, count - i), to + i);
    }
    to += count;
  }
  return out;
}

}  // namespace talkface::mftfg
