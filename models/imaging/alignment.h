// SPDX-License-Identifier: MIT
// A face turned, scaled and shifted to a mean face, and cut out.
#pragma once

#include <vector>

#include "models/imaging/resample.h"

namespace talkface::imaging {

struct Point {
  double x, y;
};
// The 68 landmarks of the iBUG 300-W scheme: jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, mouth
// 48-67.
using Landmarks = std::vector<Point>;
constexpr size_t kLandmarkScheme = 68;

constexpr int kWarpSize = 224;  // px: the picture that a similarity aligns to
constexpr int kCropSize = 128;  // px: what landmarks and polygons are measured in

// Points without their mean. Throws Error{kInvalid} where all are in one place.
struct Centred {
  Point centre;
  double spread;  // standard deviation over all coordinates
  std::vector<Point> points;
};
Centred Centre(const std::vector<Point>& points);

// The similarity that takes `from` to `to` with the least squares of distances (Procrustes): shift,
// scale, and a turn, which is a mirroring where that fits better. Throws Error{kInvalid} where the
// counts differ or the points of one are in a single place.
Affine Similarity(const std::vector<Point>& from, const std::vector<Point>& to);

constexpr int64_t kAlignedShapeRows = 49;  // that a mean shape must have

// The similarity by which the official preprocessing aligns a face: rows 28 to 48 (lower nose, eyes
// and a mouth corner) to the same rows of a mean shape, which is in pixels of a 224-pixel picture.
Affine AlignFace(const Landmarks& landmarks, const std::vector<Point>& mean_shape);

// The aligned face, 128 x 128, as the official preprocessing cuts it: 224 x 224 by WarpAffine,
// border 127, then bilinear, then cut down to whole numbers.
RealImage WarpFace(const ByteImage& picture, const Affine& similarity);  // 224 x 224
RealImage ShrinkFace(const RealImage& warped);                           // 128 x 128
ByteImage CutDown(const RealImage& image);
ByteImage CropFace(const ByteImage& picture, const Affine& similarity);  // all three

// Points moved into the crop's pixels: by the similarity, then from 224 to 128 pixels, with pixel
// centres at whole numbers as in the resampling.
Landmarks CropLandmarks(const Landmarks& landmarks, const Affine& similarity);

}  // namespace talkface::imaging
