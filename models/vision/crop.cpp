// SPDX-License-Identifier: MIT
#include "models/vision/crop.h"

#include <algorithm>
#include <cmath>

#include "models/vision/crop_kernels.h"

namespace talkface::vision {
namespace {

constexpr float kPixelsPerTap = 2.0f;  // a bilinear tap covers about this much

}  // namespace

Point FromRegion(const Region& region, float u, float v) {
  const float dx = (u - 0.5f) * region.side, dy = (v - 0.5f) * region.side;
  const float cosine = std::cos(region.angle_rad), sine = std::sin(region.angle_rad);
  return {region.x + cosine * dx - sine * dy, region.y + sine * dx + cosine * dy};
}

std::vector<float> Crop(const Pixels& picture, const Region& region, int size, Border border,
                        float low, float high) {
  const float pitch = region.side / static_cast<float>(size);  // picture pixels per output pixel
  CropGrid grid{};
  grid.picture = picture;
  grid.border = border;
  grid.size = size;
  // A pitch that is no number has the most taps.
  grid.taps = static_cast<int>(
      std::max(1.0f, std::min(static_cast<float>(kMaxTaps), std::ceil(pitch / kPixelsPerTap))));
  for (int tap = 0; tap < grid.taps; ++tap) {
    grid.offsets[tap] = (static_cast<float>(tap) - 0.5f * static_cast<float>(grid.taps - 1)) /
                        static_cast<float>(grid.taps);
  }
  grid.origin = FromRegion(region, 0, 0);
  grid.step = {std::cos(region.angle_rad) * pitch, std::sin(region.angle_rad) * pitch};
  grid.low = low;
  grid.gain = (high - low) / (255.0f * static_cast<float>(grid.taps * grid.taps));
  const CropKernels& kernels = *RunnableCropKernels().front();
  std::vector<float> out(static_cast<size_t>(size) * size * 3);
  for (int row = 0; row < size; ++row) kernels.row(grid, row, &out[3 * size * row]);
  return out;
}

}  // namespace talkface::vision
