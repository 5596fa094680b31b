// SPDX-License-Identifier: MIT
// The 68 landmarks and the pasted face on real portraits.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "models/families/mftfg/face/face_inputs.h"
#include "models/families/mftfg/face/face_scene.h"
#include "models/families/mftfg/face/landmarks_68.h"
#include "models/vision/vision.h"
#include "tests/units/support/mftfg_pack.h"
#include "tests/units/support/portrait_file.h"

namespace talkface::mftfg {
namespace {

using testing::Load;
using testing::Picture;

class PortraitsTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    picture_ = Load(std::string("portraits/") + GetParam());
    vision::OpenFaceFinder("")->FindPortrait(picture_.pixels, &face_);
  }

  Picture picture_;
  FaceInfo face_{};
};

TEST_P(PortraitsTest, LandmarksFitTheMeanShape) {
  const imaging::Landmarks found = LandmarksOfMesh(face_);
  const imaging::Affine to_crop = imaging::AlignFace(found, MeanShape());
  double squares = 0;
  for (size_t row = 28; row < 49; ++row) {
    const imaging::Point p = found[row], wanted = MeanShape()[row];
    const double x = to_crop[0] * p.x + to_crop[1] * p.y + to_crop[2] - wanted.x;
    const double y = to_crop[3] * p.x + to_crop[4] * p.y + to_crop[5] - wanted.y;
    squares += (x * x + y * y) / 21;
  }
  EXPECT_LT(std::sqrt(squares), 6);  // of 224 px
  const imaging::Landmarks crop = imaging::CropLandmarks(found, to_crop);
  const imaging::ByteImage mask = MouthPolygon(crop);
  for (size_t row = 48; row < 68; ++row) {
    const int x = static_cast<int>(crop[row].x), y = static_cast<int>(crop[row].y);
    ASSERT_TRUE(x >= 0 && x < imaging::kCropSize && y >= 0 && y < imaging::kCropSize);
    EXPECT_EQ(mask.Row(y)[x], 0) << row;
  }
}

// The portrait's own crop, as if it were generated in another light, goes back where it came from:
// what is left of the difference is what 112 pixels cannot hold.
TEST_P(PortraitsTest, ItsOwnCropGoesBackUnseen) {
  const torch::NoGradGuard no_gradients;
  Config config = SmallConfig(Wiring::kCorrected);
  config.image_size = 112;
  Model model = RandomModel(config);
  const auto identity = EnrolIdentity(model, MeanShape(), picture_.pixels, face_);
  SceneSettings options;
  const int width = static_cast<int>(picture_.pixels.width);
  const int height = static_cast<int>(picture_.pixels.height);
  options.target = {picture_.pixels.width, picture_.pixels.height, PixelFormat::kRGBA,
                    ColorMatrix::kBt709,   ChromaSite::kCentered,  true};
  options.idle_motion = false;
  const FaceScene scene(identity, options, config);
  ASSERT_TRUE(scene.generates());
  std::vector<uint8_t> still(picture_.bytes.size()), drawn(picture_.bytes.size());
  const size_t stride = 4 * static_cast<size_t>(width);
  FrameTarget target;
  target.planes[0] = still.data();
  target.strides[0] = stride;
  scene.Draw({}, 0, target);
  const torch::Tensor light = torch::tensor({0.08f, 0.0f, -0.06f}).view({1, 3, 1, 1});
  target.planes[0] = drawn.data();
  scene.Draw({identity->seam.reference + light, 1}, 0, target);
  double sum = 0, changed = 0;
  for (size_t i = 0; i < still.size(); ++i) {
    const int difference = std::abs(still[i] - drawn[i]);
    sum += difference;
    changed += difference > 0;
  }
  EXPECT_GT(changed, 0.001 * width * height);
  EXPECT_LT(sum / changed, 8);
}

INSTANTIATE_TEST_SUITE_P(Files, PortraitsTest,
                         ::testing::Values("01_astronaut_collins.png", "02_obama_official_2012.jpg",
                                           "10_bouguereau_child.jpg", "22_grid_glasses_m.png"));

}  // namespace
}  // namespace talkface::mftfg
