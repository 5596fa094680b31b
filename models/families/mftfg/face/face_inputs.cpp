// SPDX-License-Identifier: MIT
#include "models/families/mftfg/face/face_inputs.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "models/core/error.h"

namespace talkface::mftfg {
namespace {

constexpr size_t kNoseTip = 33;
constexpr size_t kJawFirst = 2, kJawLast = 14;
constexpr double kFarAway = 1e6;  // px: no crop is that large, and whole numbers still fit

constexpr size_t kOpenFaceColumns = 37;
constexpr std::array<size_t, kActionUnits> kIntensityColumns = {9, 11, 14, 16, 17};
constexpr std::array<size_t, kActionUnits> kPresenceColumns = {26, 28, 31, 33, 34};

void CheckLandmarks(const imaging::Landmarks& landmarks) {
  if (landmarks.size() != imaging::kLandmarkScheme) {
    throw Error(Code::kInvalid, "A face of " + std::to_string(landmarks.size()) +
                                    " landmarks, wanted " +
                                    std::to_string(imaging::kLandmarkScheme) + ".");
  }
  for (const imaging::Point& point : landmarks) {
    if (std::isfinite(point.x) && std::isfinite(point.y)) continue;
    throw Error(Code::kInvalid, "A face with a landmark that is not finite.");
  }
}

int WholePart(double place) { return static_cast<int>(std::clamp(place, -kFarAway, kFarAway)); }

imaging::PixelPoint Pixel(const imaging::Point& point) {
  return {WholePart(point.x), WholePart(point.y)};
}

std::vector<imaging::Point> EncoderRows(const imaging::Landmarks& landmarks) {
  CheckLandmarks(landmarks);
  std::vector<imaging::Point> rows(landmarks.begin(), landmarks.begin() + 4);
  rows.insert(rows.end(), landmarks.begin() + 13, landmarks.begin() + 48);
  return rows;
}

// Planar [C, H, W] from `map` of each byte.
template <typename Map>
std::vector<float> Planar(const imaging::ByteImage& image, Map map) {
  std::vector<float> planar;
  planar.reserve(image.values.size());
  for (int c = 0; c < image.channels; ++c) {
    for (size_t i = static_cast<size_t>(c); i < image.values.size(); i += image.channels)
      planar.push_back(map(image.values[i]));
  }
  return planar;
}

}  // namespace

imaging::ByteImage ReferenceImage(const imaging::ByteImage& crop, int size) {
  return imaging::ResizeBicubic(crop, size, size);
}

imaging::ByteImage ImageMask(const imaging::ByteImage& reference,
                             const imaging::Landmarks& landmarks) {
  CheckLandmarks(landmarks);
  const double scale = static_cast<double>(imaging::kCropSize) / reference.height;
  const int row = std::clamp(WholePart(landmarks[kNoseTip].y / scale), 0, reference.height);
  imaging::ByteImage masked = reference;
  const size_t kept = static_cast<size_t>(row) * reference.width * reference.channels;
  std::fill(masked.values.begin() + static_cast<ptrdiff_t>(kept), masked.values.end(), uint8_t{0});
  return masked;
}

std::vector<float> Normalised(const imaging::ByteImage& image) {
  return Planar(image, [](uint8_t byte) { return static_cast<float>(byte / 127.5 - 1); });
}

imaging::ByteImage MaskPicture(const imaging::ByteImage& crop_rgb, int size) {
  return imaging::ResizeBilinear(crop_rgb, size, size);
}

std::vector<float> MaskInput(const imaging::ByteImage& crop_rgb, int size) {
  return Planar(MaskPicture(crop_rgb, size), [](uint8_t byte) {
    const float unit = static_cast<float>(byte) / 255.0f;
    return (unit - 0.5f) / 0.5f;
  });
}

imaging::Landmarks PolygonOf(const imaging::Landmarks& landmarks) {
  CheckLandmarks(landmarks);
  imaging::Landmarks polygon(landmarks.begin() + kJawFirst, landmarks.begin() + kJawLast + 1);
  polygon.push_back(landmarks[kNoseTip]);
  return polygon;
}

imaging::ByteImage MouthPolygon(const imaging::Landmarks& landmarks) {
  std::vector<imaging::PixelPoint> corners;
  for (const imaging::Point& corner : PolygonOf(landmarks)) corners.push_back(Pixel(corner));
  imaging::ByteImage mask(imaging::kCropSize, imaging::kCropSize, 1);
  std::fill(mask.values.begin(), mask.values.end(), uint8_t{1});
  imaging::FillPolygon(corners, 0, &mask);
  return mask;
}

imaging::ByteImage InferenceMask(const imaging::Landmarks& landmarks, int size) {
  return imaging::ResizeBicubic(MouthPolygon(landmarks), size, size);
}

std::vector<float> EncoderLandmarks(const imaging::Landmarks& landmarks, int size) {
  const double scale = static_cast<double>(imaging::kCropSize) / size;
  std::vector<float> numbers;
  for (const imaging::Point& point : EncoderRows(landmarks)) {
    numbers.push_back(static_cast<float>(point.x / scale));
    numbers.push_back(static_cast<float>(point.y / scale));
  }
  return numbers;
}

std::vector<float> NormalisedLandmarks(const imaging::Landmarks& landmarks) {
  const imaging::Centred face = imaging::Centre(EncoderRows(landmarks));
  std::vector<float> numbers;
  for (const imaging::Point& point : face.points) {
    numbers.push_back(static_cast<float>(point.x / face.spread));
    numbers.push_back(static_cast<float>(point.y / face.spread));
  }
  return numbers;
}

OpenFaceUnits UnitsOfOpenFace(const std::vector<float>& row) {
  if (row.size() != kOpenFaceColumns) {
    throw Error(Code::kInvalid, "A row of " + std::to_string(row.size()) +
                                    " numbers is not OpenFace's, which has " +
                                    std::to_string(kOpenFaceColumns) + ".");
  }
  OpenFaceUnits units{};
  for (size_t i = 0; i < units.intensity.size(); ++i) {
    units.intensity[i] = row[kIntensityColumns[i]];
    units.presence[i] = row[kPresenceColumns[i]];
  }
  return units;
}

}  // namespace talkface::mftfg
