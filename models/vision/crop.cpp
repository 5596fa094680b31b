// SPDX-License-Identifier: MIT
#include "models/vision/crop.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace talkface::vision {
namespace {

constexpr float kBackdrop = 128.0f;    // behind transparent pixels
constexpr float kPixelsPerTap = 2.0f;  // a bilinear tap covers about this much
constexpr int kMaxTaps = 8;            // per axis and output pixel

using Color = std::array<float, 3>;

class Sampler {
 public:
  Sampler(const Pixels& picture, Border border)
      : picture_(picture),
        border_(border),
        max_x_(static_cast<int>(picture.width) - 1),
        max_y_(static_cast<int>(picture.height) - 1),
        limit_x_(static_cast<float>(picture.width)),
        limit_y_(static_cast<float>(picture.height)) {}

  // Adds the bilinear sample at (x, y), pixel centres being whole numbers.
  void Add(float x, float y, Color* sum) const {
    // One pixel beyond the edges all is border; from there on, cutting off rounds down.
    const float right = std::clamp(x, -1.0f, limit_x_) + 1.0f;
    const float below = std::clamp(y, -1.0f, limit_y_) + 1.0f;
    const int x0 = static_cast<int>(right), y0 = static_cast<int>(below);
    const float fx = right - static_cast<float>(x0), fy = below - static_cast<float>(y0);
    AddPixel(x0 - 1, y0 - 1, (1 - fx) * (1 - fy), sum);
    AddPixel(x0, y0 - 1, fx * (1 - fy), sum);
    AddPixel(x0 - 1, y0, (1 - fx) * fy, sum);
    AddPixel(x0, y0, fx * fy, sum);
  }

 private:
  void AddPixel(int x, int y, float weight, Color* sum) const {
    if (border_ == Border::kBlack && (x < 0 || y < 0 || x > max_x_ || y > max_y_)) return;
    const int column = std::clamp(x, 0, max_x_), row = std::clamp(y, 0, max_y_);
    const uint8_t* pixel = picture_.data + static_cast<size_t>(row) * picture_.stride +
                           4 * static_cast<size_t>(column);
    const float alpha = weight * static_cast<float>(pixel[3]) * (1.0f / 255.0f);
    const float rest = (weight - alpha) * kBackdrop;
    for (int c = 0; c < 3; ++c) (*sum)[c] += alpha * static_cast<float>(pixel[c]) + rest;
  }

  const Pixels& picture_;
  const Border border_;
  const int max_x_, max_y_;
  const float limit_x_, limit_y_;
};

}  // namespace

Point FromRegion(const Region& region, float u, float v) {
  const float dx = (u - 0.5f) * region.side, dy = (v - 0.5f) * region.side;
  const float cosine = std::cos(region.angle_rad), sine = std::sin(region.angle_rad);
  return {region.x + cosine * dx - sine * dy, region.y + sine * dx + cosine * dy};
}

std::vector<float> Crop(const Pixels& picture, const Region& region, int size, Border border,
                        float low, float high) {
  const Sampler sampler(picture, border);
  const float pitch = region.side / static_cast<float>(size);  // picture pixels per output pixel
  const int taps = std::clamp(static_cast<int>(std::ceil(pitch / kPixelsPerTap)), 1, kMaxTaps);
  const float gain = (high - low) / (255.0f * static_cast<float>(taps * taps));
  const Point origin = FromRegion(region, 0, 0);
  const float step_x = std::cos(region.angle_rad) * pitch,
              step_y = std::sin(region.angle_rad) * pitch;
  const auto offset = [&](int tap) {
    return (static_cast<float>(tap) - 0.5f * static_cast<float>(taps - 1)) /
           static_cast<float>(taps);
  };
  std::vector<float> out;
  out.reserve(static_cast<size_t>(size) * size * 3);
  for (int row = 0; row < size; ++row) {
    for (int column = 0; column < size; ++column) {
      Color sum{};
      for (int tap = 0; tap < taps * taps; ++tap) {
        const float i = static_cast<float>(column) + offset(tap % taps);
        const float j = static_cast<float>(row) + offset(tap / taps);
        sampler.Add(origin.x + i * step_x - j * step_y, origin.y + i * step_y + j * step_x, &sum);
      }
      for (float channel : sum) out.push_back(low + gain * channel);
    }
  }
  return out;
}

}  // namespace talkface::vision
