// SPDX-License-Identifier: MIT
#include "tests/units/families/mftfg/parity/pictures.h"

#include <algorithm>

namespace talkface::parity {

using imaging::ByteImage;
using imaging::Landmarks;
using imaging::RealImage;

torch::Tensor Values(const ByteImage& image) {
  torch::Tensor tensor = torch::empty({image.height, image.width, image.channels}, torch::kUInt8);
  std::copy(image.values.begin(), image.values.end(), tensor.data_ptr<uint8_t>());
  return tensor;
}

torch::Tensor Values(const RealImage& image) {
  return torch::tensor(image.values, torch::kFloat64)
      .view({image.height, image.width, image.channels});
}

ByteImage ImageOf(const torch::Tensor& values) {
  ByteImage image(static_cast<int>(values.size(1)), static_cast<int>(values.size(0)),
                  static_cast<int>(values.size(2)));
  const torch::Tensor bytes = values.contiguous();
  std::copy_n(bytes.data_ptr<uint8_t>(), image.values.size(), image.values.begin());
  return image;
}

Landmarks PointsOf(const torch::Tensor& points) {
  const torch::Tensor exact = points.to(torch::kFloat64).contiguous();
  const double* at = exact.data_ptr<double>();
  Landmarks landmarks;
  for (int64_t i = 0; i < exact.size(0); ++i) landmarks.push_back({at[2 * i], at[2 * i + 1]});
  return landmarks;
}

}  // namespace talkface::parity
