// SPDX-License-Identifier: MIT
// models/imaging/resample.h against OpenCV itself: equal to the byte.
#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <random>

#include "models/imaging/resample.h"

namespace talkface::mftfg {
namespace {

imaging::ByteImage Noise(int width, int height, unsigned seed) {
  std::mt19937 random(seed);
  imaging::ByteImage image(width, height, 3);
  for (uint8_t& value : image.values) value = static_cast<uint8_t>(random());
  return image;
}

// The pixels of `image` as OpenCV sees them; they stay the image's.
cv::Mat View(imaging::ByteImage& image) {
  return cv::Mat(image.height, image.width, CV_MAKETYPE(CV_8U, image.channels), image.Row(0));
}
cv::Mat View(imaging::RealImage& image) {
  return cv::Mat(image.height, image.width, CV_MAKETYPE(CV_64F, image.channels), image.Row(0));
}

imaging::RealImage Real(const imaging::ByteImage& image) {
  imaging::RealImage real(image.width, image.height, image.channels);
  std::copy(image.values.begin(), image.values.end(), real.values.begin());
  return real;
}

TEST(MftfgOpenCv, ResizesBytesAndDoublesAlike) {
  for (const auto& [from, to] : {std::pair{128, 112}, std::pair{224, 128}, std::pair{50, 77}}) {
    imaging::ByteImage bytes = Noise(from, from, static_cast<unsigned>(to));
    imaging::RealImage reals = Real(bytes);
    cv::Mat expected;
    cv::resize(View(bytes), expected, cv::Size(to, to));
    imaging::ByteImage small = imaging::ResizeBilinear(bytes, to, to);
    EXPECT_EQ(cv::norm(View(small), expected, cv::NORM_INF), 0) << from;
    cv::resize(View(reals), expected, cv::Size(to, to));
    imaging::RealImage small_reals = imaging::ResizeBilinear(reals, to, to);
    EXPECT_LE(cv::norm(View(small_reals), expected, cv::NORM_INF), 1e-12) << from;
  }
}

TEST(MftfgOpenCv, WarpsAlike) {
  imaging::RealImage image = Real(Noise(90, 70, 1));
  for (const imaging::Affine& m :
       {imaging::Affine{1.3, 0.4, -20, -0.4, 1.3, 40}, imaging::Affine{0.5, 0, 9.25, 0, 0.5, 3},
        imaging::Affine{-1, 0.1, 80, 0.1, 1, 0}}) {
    const cv::Mat matrix(2, 3, CV_64F, const_cast<double*>(m.data()));
    cv::Mat expected;
    cv::warpAffine(View(image), expected, matrix, cv::Size(64, 80), cv::INTER_LINEAR,
                   cv::BORDER_CONSTANT, cv::Scalar::all(127));
    imaging::RealImage warped = imaging::WarpAffine(image, m, 64, 80, 127);
    EXPECT_LE(cv::norm(View(warped), expected, cv::NORM_INF), 1e-9);
  }
}

// OpenCV 4.8 and later fill a few pixels more where edges of a polygon cross or meet, all beside
// those that are filled anyway; faces' outlines have none such (parity's preprocess is made
// with 5.0).
constexpr bool kFillsAsWeDo = CV_VERSION_MAJOR == 4 && CV_VERSION_MINOR < 8;

// Inside the picture: where polygons leave it, OpenCV's versions differ.
TEST(MftfgOpenCv, FillsPolygonsAlike) {
  std::mt19937 random(2);
  std::uniform_int_distribution<int> place(0, 63), count(3, 14);
  for (int i = 0; i < 300; ++i) {
    std::vector<imaging::PixelPoint> corners(static_cast<size_t>(count(random)));
    std::vector<cv::Point> points;
    for (imaging::PixelPoint& corner : corners) {
      corner = {place(random), place(random)};
      points.emplace_back(corner.x, corner.y);
    }
    cv::Mat expected = cv::Mat::zeros(64, 64, CV_8U);
    cv::fillPoly(expected, std::vector<std::vector<cv::Point>>{points}, cv::Scalar(1));
    imaging::ByteImage image(64, 64, 1);
    imaging::FillPolygon(corners, 1, &image);
    if (kFillsAsWeDo) {
      ASSERT_EQ(cv::norm(View(image), expected, cv::NORM_INF), 0) << "polygon " << i;
      continue;
    }
    cv::Mat grown;
    cv::dilate(View(image), grown, cv::Mat::ones(3, 3, CV_8U));
    ASSERT_EQ(cv::countNonZero(expected < View(image)), 0) << "polygon " << i;
    ASSERT_EQ(cv::countNonZero(expected > grown), 0) << "polygon " << i;
  }
}

}  // namespace
}  // namespace talkface::mftfg
