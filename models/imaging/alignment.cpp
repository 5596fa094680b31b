// SPDX-License-Identifier: MIT
#include "models/imaging/alignment.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "models/core/error.h"

namespace talkface::imaging {
namespace {

constexpr size_t kFirstRow = 28, kRows = 21;
constexpr double kBorder = 127;
constexpr double kOnePlace = 1e-9;  // px of spread: what rounding leaves of none

std::vector<Point> AlignedRows(const std::vector<Point>& shape, const char* what) {
  if (shape.size() < kFirstRow + kRows) {
    throw Error(Code::kInvalid, std::string(what) + " has " + std::to_string(shape.size()) +
                                    " points, wanted at least " +
                                    std::to_string(kFirstRow + kRows) + ".");
  }
  const auto first = shape.begin() + kFirstRow;
  return std::vector<Point>(first, first + kRows);
}

}  // namespace

Centred Centre(const std::vector<Point>& points) {
  const double count = static_cast<double>(points.size());
  Centred result{{0, 0}, 0, points};
  for (const Point& point : points) {
    result.centre.x += point.x;
    result.centre.y += point.y;
  }
  result.centre.x /= count;
  result.centre.y /= count;
  for (Point& point : result.points) {
    point.x -= result.centre.x;
    point.y -= result.centre.y;
    result.spread += (point.x * point.x + point.y * point.y) / (2 * count);
  }
  result.spread = std::sqrt(result.spread);
  if (!(result.spread > kOnePlace)) {
    throw Error(Code::kInvalid, "A face whose points all are in one place.");
  }
  return result;
}

Affine Similarity(const std::vector<Point>& from, const std::vector<Point>& to) {
  if (from.size() != to.size()) {
    throw Error(Code::kInvalid, "Faces of " + std::to_string(from.size()) + " and " +
                                    std::to_string(to.size()) + " points cannot be aligned.");
  }
  const Centred a = Centre(from), b = Centre(to);
  // a' b, a 2x2 matrix; the orthogonal matrix nearest to it is U V' of its singular value
  // decomposition, and its transpose takes a's directions to b's.
  double xx = 0, xy = 0, yx = 0, yy = 0;
  for (size_t i = 0; i < a.points.size(); ++i) {
    xx += a.points[i].x * b.points[i].x;
    xy += a.points[i].x * b.points[i].y;
    yx += a.points[i].y * b.points[i].x;
    yy += a.points[i].y * b.points[i].y;
  }
  const double turn = xx * yy - xy * yx >= 0 ? 1 : -1;
  const double cosine = xx + turn * yy, sine = xy - turn * yx;
  const double scale = b.spread / a.spread / std::hypot(cosine, sine);
  const double m0 = scale * cosine, m3 = scale * sine;
  const double m1 = -turn * m3, m4 = turn * m0;
  return {m0, m1, b.centre.x - m0 * a.centre.x - m1 * a.centre.y,
          m3, m4, b.centre.y - m3 * a.centre.x - m4 * a.centre.y};
}

Affine AlignFace(const Landmarks& landmarks, const std::vector<Point>& mean_shape) {
  return Similarity(AlignedRows(landmarks, "A face"), AlignedRows(mean_shape, "The mean shape"));
}

RealImage WarpFace(const ByteImage& picture, const Affine& similarity) {
  RealImage real(picture.width, picture.height, picture.channels);
  std::copy(picture.values.begin(), picture.values.end(), real.values.begin());
  return WarpAffine(real, similarity, kWarpSize, kWarpSize, kBorder);
}

RealImage ShrinkFace(const RealImage& warped) {
  return ResizeBilinear(warped, kCropSize, kCropSize);
}

ByteImage CutDown(const RealImage& image) {
  ByteImage bytes(image.width, image.height, image.channels);
  std::transform(image.values.begin(), image.values.end(), bytes.values.begin(),
                 [](double value) { return static_cast<uint8_t>(std::clamp(value, 0.0, 255.0)); });
  return bytes;
}

ByteImage CropFace(const ByteImage& picture, const Affine& similarity) {
  return CutDown(ShrinkFace(WarpFace(picture, similarity)));
}

Landmarks CropLandmarks(const Landmarks& landmarks, const Affine& similarity) {
  constexpr double kScale = static_cast<double>(kCropSize) / kWarpSize;
  const auto shrink = [](double place) { return (place + 0.5) * kScale - 0.5; };
  Landmarks moved;
  for (const Point& p : landmarks) {
    moved.push_back({shrink(similarity[0] * p.x + similarity[1] * p.y + similarity[2]),
                     shrink(similarity[3] * p.x + similarity[4] * p.y + similarity[5])});
  }
  return moved;
}

}  // namespace talkface::imaging
