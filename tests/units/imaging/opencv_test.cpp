// SPDX-License-Identifier: MIT
// Colour conversion and scaling against OpenCV, an implementation that is not ours.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <opencv2/imgproc.hpp>

#include "models/imaging/frame_writer.h"
#include "models/imaging/scale.h"

namespace talkface::imaging {
namespace {

constexpr int kWidth = 96, kHeight = 64;

// A smooth coloured picture: no detail that two scaling filters would treat differently.
cv::Mat SmoothPicture() {
  cv::Mat rgba(kHeight, kWidth, CV_8UC4);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      rgba.at<cv::Vec4b>(y, x) =
          cv::Vec4b(static_cast<uint8_t>(2 * x + 20), static_cast<uint8_t>(3 * y + 30),
                    static_cast<uint8_t>(200 - x - y), 255);
    }
  }
  return rgba;
}

int LargestDifference(const uint8_t* a, const uint8_t* b, size_t count) {
  int largest = 0;
  for (size_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

TEST(OpenCv, AgreesOnI420OfBt601) {
  const cv::Mat rgba = SmoothPicture();
  cv::Mat expected;
  cv::cvtColor(rgba, expected, cv::COLOR_RGBA2YUV_I420);

  const FrameWriter writer({kWidth, kHeight, PixelFormat::kI420, ColorMatrix::kBt601,
                            ChromaSite::kCentered, /*full_range=*/false});
  std::vector<uint8_t> frame(kWidth * kHeight * 3 / 2);
  uint8_t* u = frame.data() + kWidth * kHeight;
  FrameTarget target;
  uint8_t* const planes[] = {frame.data(), u, u + kWidth * kHeight / 4};
  const size_t strides[] = {kWidth, kWidth / 2, kWidth / 2};
  std::copy(std::begin(planes), std::end(planes), target.planes);
  std::copy(std::begin(strides), std::end(strides), target.strides);
  writer.Write({rgba.data, static_cast<ptrdiff_t>(rgba.step), writer.Frame()}, writer.Frame(),
               target);
  EXPECT_LE(LargestDifference(frame.data(), expected.data, kWidth * kHeight), 1);
  // OpenCV takes chroma from one pixel of four, we from the mean: on a slope of 3 levels a pixel
  // that is up to 2 levels.
  EXPECT_LE(LargestDifference(u, expected.data + kWidth * kHeight, kWidth * kHeight / 2), 2);
}

TEST(OpenCv, AgreesOnScalingASmoothPicture) {
  const cv::Mat rgba = SmoothPicture();
  const Pixels picture{rgba.data, kWidth, kHeight, rgba.step};
  for (const int percent : {50, 200}) {
    const int width = kWidth * percent / 100, height = kHeight * percent / 100;
    cv::Mat expected;
    cv::resize(rgba, expected, cv::Size(width, height), 0, 0,
               percent < 100 ? cv::INTER_AREA : cv::INTER_CUBIC);
    const TargetFormat target{static_cast<uint32_t>(width), static_cast<uint32_t>(height),
                              PixelFormat::kRGBA,           ColorMatrix::kBt709,
                              ChromaSite::kCentered,        true};
    const std::vector<uint8_t> scaled =
        Scale(picture, Place(kWidth, kHeight, target, /*add_borders=*/true, /*pixel_aspect=*/1.0));
    ASSERT_EQ(scaled.size(), static_cast<size_t>(4 * width * height));
    EXPECT_LE(LargestDifference(scaled.data(), expected.data, scaled.size()), 2) << percent << " %";
  }
}

}  // namespace
}  // namespace talkface::imaging
