// SPDX-License-Identifier: MIT
// The parts of the face finder that need neither net nor data.
#include "models/vision/vision.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "models/vision/crop.h"
#include "models/vision/crop_kernels.h"
#include "models/vision/detector.h"
#include "models/vision/mesh.h"
#include "models/vision/pose.h"
#include "models/vision/search.h"
#include "tests/units/support/expect_error.h"

namespace talkface::vision {
namespace {

constexpr float kPi = 3.14159265f;

// A picture whose red is 10 a column and green 10 a row, opaque.
struct Ramp {
  Ramp(uint32_t width, uint32_t height) : bytes(4 * width * height, 255) {
    for (uint32_t y = 0; y < height; ++y) {
      for (uint32_t x = 0; x < width; ++x) {
        uint8_t* pixel = &bytes[4 * (y * width + x)];
        pixel[0] = static_cast<uint8_t>(10 * x);
        pixel[1] = static_cast<uint8_t>(10 * y);
        pixel[2] = 0;
      }
    }
    pixels = {bytes.data(), width, height, 4 * width};
  }
  std::vector<uint8_t> bytes;
  Pixels pixels;
};

const float* At(const std::vector<float>& crop, int size, int x, int y) {
  return &crop[3 * (y * size + x)];
}

TEST(Crop, AtOneToOneIsThePictureItself) {
  const Ramp ramp(12, 10);
  const auto crop = Crop(ramp.pixels, {5, 4, 6, 0}, 6, Border::kNearest, 0, 255);
  for (int y = 0; y < 6; ++y) {
    for (int x = 0; x < 6; ++x) {
      EXPECT_NEAR(At(crop, 6, x, y)[0], 10 * (x + 2), 1e-3);
      EXPECT_NEAR(At(crop, 6, x, y)[1], 10 * (y + 1), 1e-3);
    }
  }
}

TEST(Crop, TurnedByAQuarterReadsColumnsAsRows) {
  const Ramp ramp(20, 20);
  const Region region{10, 10, 8, kPi / 2};
  const auto crop = Crop(ramp.pixels, region, 8, Border::kNearest, 0, 255);
  for (int i = 0; i < 8; ++i) {
    const Point right = FromRegion(region, static_cast<float>(i) / 8, 0);
    EXPECT_NEAR(At(crop, 8, i, 0)[0], 10 * right.x, 1e-2);
    EXPECT_NEAR(At(crop, 8, i, 0)[1], 10 * right.y, 1e-2);
    EXPECT_NEAR(right.x, 14, 1e-4);
    EXPECT_NEAR(right.y, 6 + i, 1e-4);
  }
}

TEST(Crop, BetweenPixelsIsBilinearAndScalesToTheRange) {
  const Ramp ramp(12, 10);
  const auto crop = Crop(ramp.pixels, {4, 4, 4, 0}, 8, Border::kNearest, -1, 1);
  EXPECT_NEAR(At(crop, 8, 1, 0)[0], 25.0f / 255 * 2 - 1, 1e-5);
  EXPECT_NEAR(At(crop, 8, 0, 3)[1], 35.0f / 255 * 2 - 1, 1e-5);
}

TEST(Crop, BeyondTheEdgesIsBlackOrTheNearestPixel) {
  const Ramp ramp(12, 10);
  const auto black = Crop(ramp.pixels, {0, 0, 8, 0}, 8, Border::kBlack, 0, 255);
  const auto nearest = Crop(ramp.pixels, {12, 10, 8, 0}, 8, Border::kNearest, 0, 255);
  EXPECT_EQ(At(black, 8, 3, 5)[1], 0);
  EXPECT_NEAR(At(black, 8, 5, 5)[1], 10, 1e-3);
  EXPECT_NEAR(At(nearest, 8, 7, 7)[0], 110, 1e-3);
  EXPECT_NEAR(At(nearest, 8, 7, 7)[1], 90, 1e-3);
}

TEST(Crop, AveragesWhatItShrinksInsteadOfSkippingIt) {
  std::vector<uint8_t> noise(4 * 256 * 256, 255);
  std::mt19937 random(1);
  for (uint8_t& value : noise) value = random() & 1 ? 255 : 0;
  for (size_t i = 3; i < noise.size(); i += 4) noise[i] = 255;
  const Pixels picture{noise.data(), 256, 256, 4 * 256};
  const auto crop = Crop(picture, {128, 128, 256, 0}, 16, Border::kNearest, 0, 255);
  float squares = 0;
  for (const float value : crop) squares += (value - 127.5f) * (value - 127.5f);
  // One sample each would be off by 127, the mean of all 256 pixels by 8.
  EXPECT_LT(std::sqrt(squares / static_cast<float>(crop.size())), 20);
}

TEST(Crop, ShowsGreyBehindTransparentPixels) {
  Ramp ramp(4, 4);
  for (size_t i = 3; i < ramp.bytes.size(); i += 4) ramp.bytes[i] = i < 32 ? 0 : 255;
  const auto crop = Crop(ramp.pixels, {2, 2, 4, 0}, 4, Border::kNearest, 0, 255);
  EXPECT_NEAR(At(crop, 4, 3, 0)[0], 128, 1e-3);
  EXPECT_NEAR(At(crop, 4, 3, 3)[0], 30, 1e-3);
}

// The sample at (x, y) as its definition says it, one colour of it.
double SampleOf(const CropGrid& grid, double x, double y, int color) {
  double sum = 0;
  for (int corner = 0; corner < 4; ++corner) {
    const double column = std::floor(x) + corner % 2, row = std::floor(y) + corner / 2;
    const double weight = (1 - std::abs(x - column)) * (1 - std::abs(y - row));
    const double last_x = grid.picture.width - 1, last_y = grid.picture.height - 1;
    const double near_x = std::clamp(column, 0.0, last_x), near_y = std::clamp(row, 0.0, last_y);
    if (grid.border == Border::kBlack && (near_x != column || near_y != row)) continue;
    const uint8_t* pixel = grid.picture.data + static_cast<size_t>(near_y) * grid.picture.stride +
                           4 * static_cast<size_t>(near_x);
    sum += weight * (pixel[color] * pixel[3] / 255.0 + 128 * (1 - pixel[3] / 255.0));
  }
  return sum;
}

void ExpectSamples(const CropGrid& grid, const CropKernels& kernels) {
  std::vector<float> got(3 * grid.size);
  for (int place = 0; place < grid.size * 3 * grid.size; ++place) {
    const int row = place / (3 * grid.size), value = place % (3 * grid.size);
    if (value == 0) kernels.row(grid, row, got.data());
    double sum = 0;
    for (int tap = 0; tap < grid.taps * grid.taps; ++tap) {
      const double i = value / 3 + grid.offsets[tap % grid.taps];
      const double j = row + grid.offsets[tap / grid.taps];
      sum += SampleOf(grid, grid.origin.x + i * grid.step.x - j * grid.step.y,
                      grid.origin.y + i * grid.step.y + j * grid.step.x, value % 3);
    }
    ASSERT_NEAR(got[value], grid.low + grid.gain * sum, 0.02) << row << ", " << value;
  }
}

// Every set of vector instructions samples as the definition does: inside, at the edges and beyond
// them, turned, with and without transparency, in sizes that fill no vector.
TEST(Crop, SamplesTheSameByAllInstructions) {
  std::mt19937 random(1);
  std::vector<uint8_t> clear(9 * 80), opaque;
  for (uint8_t& byte : clear) byte = static_cast<uint8_t>(random());
  for (size_t i = 3; i < clear.size(); i += 12) clear[i] = 255;
  opaque = clear;
  for (size_t i = 3; i < clear.size(); i += 4) opaque[i] = 255;
  CropGrid grid{};
  grid.size = 21;
  grid.origin = {-3.2f, -1.4f};
  grid.step = {1.1f, 0.3f};
  grid.low = -1;
  grid.gain = 0.5f;
  const float offsets[] = {-0.3f, 0, 0.4f};
  std::copy_n(offsets, 3, grid.offsets);
  for (int options = 0; options < 8; ++options) {
    grid.picture = {options & 1 ? opaque.data() : clear.data(), 17, 9, 80};
    grid.border = options & 2 ? Border::kBlack : Border::kNearest;
    grid.taps = options & 4 ? 3 : 1;
    for (const CropKernels* kernels : RunnableCropKernels()) {
      SCOPED_TRACE(std::string(kernels->target) + ", options " + std::to_string(options));
      ExpectSamples(grid, *kernels);
    }
  }
}

TEST(Crop, OfARegionThatIsNoNumberReadsThePicture) {
  const Ramp ramp(12, 10);
  for (const float bad : {NAN, INFINITY, -INFINITY, 3e38f}) {
    for (const Region& region : {Region{bad, 4, 6, 0}, Region{4, 4, bad, 0}, Region{4, 4, 6, bad}})
      EXPECT_EQ(Crop(ramp.pixels, region, 6, Border::kNearest, 0, 1).size(), 108u);
  }
}

TEST(Detector, HasTheAnchorsOfTheShortRangeNet) {
  const auto anchors = MakeAnchors(128, {8, 16, 16, 16});
  ASSERT_EQ(anchors.size(), 896u);
  EXPECT_FLOAT_EQ(anchors[0].x, 0.5f / 16);
  EXPECT_FLOAT_EQ(anchors[1].x, 0.5f / 16);
  EXPECT_FLOAT_EQ(anchors[2].x, 1.5f / 16);
  EXPECT_FLOAT_EQ(anchors[511].y, 15.5f / 16);
  EXPECT_FLOAT_EQ(anchors[512].y, 0.5f / 8);
  EXPECT_FLOAT_EQ(anchors[517].x, 0.5f / 8);
  EXPECT_FLOAT_EQ(anchors[518].x, 1.5f / 8);
}

Hit Square(float x, float y, float side, float score) {
  Hit hit;
  hit.x = x;
  hit.y = y;
  hit.width = hit.height = side;
  hit.points.fill({x, y});
  hit.score = score;
  return hit;
}

TEST(Detector, MergesOverlappingHitsByTheirScores) {
  const auto hits = MergeHits(
      {Square(500, 0, 50, 0.7f), Square(0, 0, 100, 0.2f), Square(10, 0, 100, 0.8f)}, 0.3f);
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_FLOAT_EQ(hits[0].score, 0.8f);
  EXPECT_FLOAT_EQ(hits[0].x, 8.0f);
  EXPECT_FLOAT_EQ(hits[0].points[5].x, 8.0f);
  EXPECT_FLOAT_EQ(hits[1].x, 500.0f);
  EXPECT_TRUE(MergeHits({}, 0.3f).empty());
}

TEST(Mesh, OfWhichOneNumberIsNoneIsNotFinite) {
  Mesh mesh{};
  EXPECT_TRUE(IsFinite(mesh));
  mesh.landmarks[kMeshPoints - 1][2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(IsFinite(mesh));
  mesh.landmarks[kMeshPoints - 1][2] = 0;
  mesh.presence = std::numeric_limits<float>::infinity();
  EXPECT_FALSE(IsFinite(mesh));
}

TEST(Search, TakesTheLargestFaceAndDropsWhatIsPoorOrSmall) {
  const Hit near = Square(0, 0, 100, 0.9f);
  const auto choose = [](std::vector<Hit> hits) { return ChooseFace(hits); };
  EXPECT_EQ(choose({near}).faces, 1u);
  const Choice larger = choose({near, Square(300, 0, 120, 0.7f)});
  EXPECT_EQ(larger.index, 1u);
  EXPECT_EQ(larger.faces, 2u);
  EXPECT_EQ(choose({near, Square(300, 0, 120, 0.59f)}).faces, 1u);
  EXPECT_EQ(choose({near, Square(300, 0, 120, 0.59f)}).index, 0u);
  EXPECT_EQ(choose({near, Square(300, 0, 49, 0.9f)}).faces, 1u);
  EXPECT_EQ(choose({near, Square(300, 0, 51, 0.9f)}).faces, 2u);
  EXPECT_EQ(choose({near, Square(20, 20, 60, 0.9f)}).faces, 1u) << "a part of the larger one";
}

TEST(Search, EveryPointLiesWellInsideSomeTileOfEachStage) {
  const Pixels picture{nullptr, 700, 300, 0};
  const auto stages = PortraitStages(picture);
  ASSERT_EQ(stages.size(), 5u);
  for (size_t i = 2; i < stages.size(); ++i) {
    const float side = stages[i].front().side;
    EXPECT_FLOAT_EQ(side, 300.0f / std::pow(2.0f, static_cast<float>(i - 2)));
    // A face of half a tile's size, anywhere, lies whole in one.
    for (float x = side / 4; x <= 700 - side / 4; x += 7) {
      for (float y = side / 4; y <= 300 - side / 4; y += 7) {
        bool inside = false;
        for (const Region& tile : stages[i]) {
          inside |=
              std::abs(x - tile.x) <= side / 4 + 0.01f && std::abs(y - tile.y) <= side / 4 + 0.01f;
        }
        ASSERT_TRUE(inside) << "stage " << i << " at " << x << ", " << y;
      }
    }
  }
  EXPECT_EQ(FrameStages(picture).size(), 3u);
  EXPECT_EQ(PortraitStages({nullptr, 20, 20, 0}).size(), 2u) << "too small for tiles";
}

// A flat face looking at the camera, its landmarks turned by the given angles in degrees.
std::vector<std::array<float, 3>> Turned(float yaw, float pitch, float roll) {
  std::vector<std::array<float, 3>> face(kMeshPoints, {0, 0, 0});
  for (const int i : {33, 133, 234, 127}) face[i] = {-50, 0, 0};
  for (const int i : {263, 362, 454, 356}) face[i] = {50, 0, 0};
  face[10] = {0, -60, 0};
  face[152] = {0, 60, 0};
  const auto turn = [](float& a, float& b, float degrees) {
    const float c = std::cos(degrees * kPi / 180), s = std::sin(degrees * kPi / 180);
    const float was = a;
    a = c * was - s * b;
    b = s * was + c * b;
  };
  for (auto& point : face) {
    turn(point[1], point[2], pitch);  // looking down: the forehead comes nearer
    turn(point[0], point[2], yaw);    // looking right: the right side goes away
    turn(point[0], point[1], roll);
  }
  return face;
}

Pose PoseAfter(float yaw, float pitch, float roll) {
  const auto face = Turned(yaw, pitch, roll);
  return PoseOf(reinterpret_cast<const float(*)[3]>(face.data()));
}

TEST(Pose, HasTheSignsAndSizesItsHeaderStates) {
  EXPECT_NEAR(PoseAfter(0, 0, 0).yaw, 0, 1e-3);
  EXPECT_NEAR(PoseAfter(20, 0, 0).yaw, 20, 1e-3);
  EXPECT_NEAR(PoseAfter(-20, 0, 0).yaw, -20, 1e-3);
  EXPECT_NEAR(PoseAfter(0, 15, 0).pitch, 15, 1e-3);
  EXPECT_NEAR(PoseAfter(0, 0, 30).roll, 30, 1e-3);
  EXPECT_NEAR(PoseAfter(35, 0, 0).yaw, 50, 1e-3) << "above 25 degrees the mesh turns too little";
  EXPECT_NEAR(PoseAfter(-60, 0, 0).yaw, -90, 1e-3);
}

}  // namespace
}  // namespace talkface::vision
