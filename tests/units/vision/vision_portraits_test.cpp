// SPDX-License-Identifier: MIT
// The whole face finder on real portraits, against what MediaPipe itself finds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

#include "models/core/pack.h"
#include "models/core/safetensors.h"
#include "models/vision/crop.h"
#include "models/vision/mesh_points.h"
#include "models/vision/net.h"
#include "models/vision/vision.h"
#include "tests/units/support/expect_error.h"
#include "tests/units/support/portrait_file.h"

namespace talkface::vision {
namespace {

using testing::DataFiles;
using testing::Load;
using testing::LoadPath;
using testing::Picture;

class Portraits : public ::testing::Test {
 protected:
  void SetUp() override { finder_ = OpenFaceFinder(""); }

  FaceInfo Find(const std::string& name) const {
    const Picture picture = Load("portraits/" + name);
    FaceInfo face{};
    finder_->FindPortrait(picture.pixels, &face);
    return face;
  }

  std::shared_ptr<const FaceFinder> finder_;
};

float Distance(const float* a, const float* b) { return std::hypot(a[0] - b[0], a[1] - b[1]); }
float Height(const FaceInfo& face) { return Distance(face.landmarks[10], face.landmarks[152]); }

TEST_F(Portraits, LandmarksLieWhereMediaPipeFindsThem) {
  constexpr int kCompared[] = {10, 152, 33, 263, 1, 234, 454, 61, 291, 0, 13, 14, 17, 78, 308};
  std::ifstream file(TALKFACE_MEDIAPIPE_LANDMARKS);
  int portraits = 0;
  for (std::string line; std::getline(file, line);) {
    if (line[0] == '#') continue;
    std::istringstream fields(line);
    std::string name;
    fields >> name;
    const FaceInfo face = Find(name);
    float sum = 0;
    for (const int landmark : kCompared) {
      float point[2] = {NAN, NAN};
      fields >> point[0] >> point[1];
      sum += Distance(face.landmarks[landmark], point);
    }
    EXPECT_LT(sum / std::size(kCompared) / Height(face), 0.01f) << name;
    EXPECT_STREQ(face.warning, "") << name;
    EXPECT_EQ(face.faces, 1u) << name;
    ++portraits;
  }
  EXPECT_EQ(portraits, 14);
}

// As libtorch's landmarks were, when it ran the nets.
TEST_F(Portraits, LandmarksAreThoseThatLibtorchGave) {
  const auto recorded = SafeTensors::Open(TALKFACE_PORTRAIT_LANDMARKS);
  EXPECT_EQ(recorded->tensors().size(), 22u);
  for (const auto& [name, tensor] : recorded->tensors()) {
    const float* wanted = recorded->Floats(name, {kMeshPoints, 2});
    const FaceInfo face = Find(name);
    for (uint32_t i = 0; i < kMeshPoints; ++i) {
      ASSERT_LT(Distance(face.landmarks[i], wanted + 2 * i), 0.02f) << name << ", " << i;
    }
  }
}

// Every set of vector instructions finds the same in a picture.
TEST_F(Portraits, NetsGiveTheSameByAllInstructions) {
  const Picture picture = Load("portraits/22_grid_glasses_m.png");
  const std::shared_ptr<const Pack> pack = Pack::Open("mediapipe-face", "");
  for (const char* file : {"detector", "mesh"}) {
    const Net best(pack->Tensors(file));
    const auto side = static_cast<int>(best.InputShape()[0]);
    const Region region{180, 144, 200, 0.1f};
    const auto input = Crop(picture.pixels, region, side, Border::kNearest, 0, 1);
    const auto wanted = best.Run(input);
    for (const NetKernels* kernels : RunnableNetKernels()) {
      SCOPED_TRACE(kernels->target);
      const auto got = Net(pack->Tensors(file), *kernels).Run(input);
      for (size_t output = 0; output < wanted.size(); ++output) {
        for (size_t i = 0; i < wanted[output].size(); ++i)
          ASSERT_NEAR(got[output][i], wanted[output][i], 1e-3) << file;
      }
    }
  }
}

TEST_F(Portraits, EachHasAFace) {
  FaceInfo face{};
  for (const std::string& path : DataFiles("portraits"))
    EXPECT_NO_THROW(finder_->FindPortrait(LoadPath(path).pixels, &face)) << path;
}

TEST_F(Portraits, FileVariantsOfOnePortraitGiveTheSameFace) {
  const FaceInfo plain = Find("02_obama_official_2012.jpg");
  for (const char* name : {"obama_cmyk.jpg", "obama_exif6.jpg", "obama_exif8.jpg"}) {
    const FaceInfo other = Find(name);
    for (uint32_t i = 0; i < kMeshPoints; ++i) {
      ASSERT_LT(Distance(plain.landmarks[i], other.landmarks[i]), 0.02f * Height(plain)) << name;
    }
  }
  EXPECT_GT(plain.score, 0.9f);
  EXPECT_NEAR(plain.yaw_deg, 0, 5);
  EXPECT_LT(Find("08_monalisa.jpg").yaw_deg, -10) << "she looks to the picture's left";
  EXPECT_GT(Find("06_lincoln_1863_beard_bw.jpg").yaw_deg, 10);
  EXPECT_EQ(Find("astronaut_alpha.png").faces, 1u);
  EXPECT_EQ(Find("14_cartoon_sylvie_rgba.png").faces, 1u);
}

TEST_F(Portraits, OfSeveralFacesTheLargestIsTakenWithAWarning) {
  const FaceInfo face = Find("two_faces_obama_biden.jpg");
  EXPECT_EQ(face.faces, 2u);
  EXPECT_STREQ(face.warning, "The picture shows 2 faces: the largest is used.");
}

TEST_F(Portraits, PicturesWithoutAUsableFaceAreRefused) {
  FaceInfo face{};
  for (const std::string& path : DataFiles("negative")) {
    SCOPED_TRACE(path);
    const bool profile = path.find("/profile") != std::string::npos;
    EXPECT_ERROR(finder_->FindPortrait(LoadPath(path).pixels, &face), Code::kNoFace,
                 profile ? "turned" : "no face", profile ? "less than 60 degrees" : "use a");
  }
  const std::vector<uint8_t> grey(4 * 300 * 200, 128);
  EXPECT_ERROR(finder_->FindPortrait({grey.data(), 300, 200, 1200}, &face), Code::kNoFace,
               "no face", "use a");
  EXPECT_ERROR(finder_->FindPortrait({grey.data(), 300, 200, 1199}, &face), Code::kInvalid,
               "300 x 200", "1199");
}

TEST_F(Portraits, APoorlySeenFaceIsTakenWithAWarning) {
  const Picture clear = Load("portraits/02_obama_official_2012.jpg");
  // Faded towards grey step by step, the face scores below 0.5 before it is lost.
  FaceInfo face{};
  for (int percent = 10; percent > 0 && face.warning[0] == 0; --percent) {
    Picture faded = clear;
    for (size_t i = 0; i < faded.bytes.size(); ++i) {
      if (i % 4 != 3)
        faded.bytes[i] = static_cast<uint8_t>(128 + (clear.bytes[i] - 128) * percent / 100);
    }
    faded.pixels.data = faded.bytes.data();
    finder_->FindPortrait(faded.pixels, &face);
  }
  EXPECT_LT(face.score, 0.5f);
  EXPECT_GE(face.score, 0.2f);
  EXPECT_NE(std::strstr(face.warning, "hard to make out"), nullptr) << face.warning;
}

// The picture moved by whole pixels, its edges repeated.
Picture Moved(const Picture& from, int dx, int dy) {
  Picture to = from;
  const uint8_t* data = from.pixels.data;
  const uint32_t width = from.pixels.width, height = from.pixels.height;
  const size_t stride = from.pixels.stride;
  for (int y = 0; y < static_cast<int>(height); ++y) {
    for (int x = 0; x < static_cast<int>(width); ++x) {
      const int column = std::min(std::max(x - dx, 0), static_cast<int>(width) - 1);
      const int row = std::min(std::max(y - dy, 0), static_cast<int>(height) - 1);
      std::memcpy(&to.bytes[y * stride + 4 * x], data + row * stride + 4 * column, 4);
    }
  }
  to.pixels.data = to.bytes.data();
  return to;
}

TEST_F(Portraits, VideoFollowsAMovingFaceAndFindsALostOneAgain) {
  const Picture still = Load("portraits/22_grid_glasses_m.png");
  FaceInfo first{}, face{};
  finder_->FindFrame(still.pixels, nullptr, &first);
  face = first;
  for (int step = 1; step <= 8; ++step) {
    const Picture moved = Moved(still, 6 * step, -3 * step);
    finder_->FindFrame(moved.pixels, &face, &face);
    for (uint32_t i = 0; i < kMeshPoints; ++i) {
      const float wanted[2] = {first.landmarks[i][0] + 6.0f * static_cast<float>(step),
                               first.landmarks[i][1] - 3.0f * static_cast<float>(step)};
      ASSERT_LT(Distance(face.landmarks[i], wanted), 0.03f * Height(first)) << step;
    }
  }
  FaceInfo elsewhere = first;
  for (auto& landmark : elsewhere.landmarks) landmark[0] -= 140;
  finder_->FindFrame(still.pixels, &elsewhere, &face);
  EXPECT_LT(Distance(face.landmarks[1], first.landmarks[1]), 0.02f * Height(first));
  const std::vector<uint8_t> grey(4 * 300 * 200, 128);
  EXPECT_ERROR(finder_->FindFrame({grey.data(), 300, 200, 1200}, &face, &face), Code::kNoFace,
               "no face", "use a");
}

TEST_F(Portraits, OneFinderServesManyThreadsAlike) {
  EXPECT_EQ(OpenFaceFinder(""), finder_);
  const Picture picture = Load("portraits/10_bouguereau_child.jpg");
  constexpr int kThreads = 4;
  FaceInfo faces[kThreads]{};
  std::vector<std::thread> threads;
  for (FaceInfo& face : faces) {
    threads.emplace_back([&] { finder_->FindPortrait(picture.pixels, &face); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const FaceInfo& face : faces) EXPECT_EQ(std::memcmp(&face, &faces[0], sizeof face), 0);
  EXPECT_GT(finder_->MemoryUse(), 2'000'000u);
  EXPECT_LT(finder_->MemoryUse(), 4'000'000u);
}

}  // namespace
}  // namespace talkface::vision
