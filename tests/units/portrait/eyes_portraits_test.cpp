// SPDX-License-Identifier: MIT
// Blinks on real portraits: what is drawn over the eye shows nothing of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/portrait/portrait_scene.h"
#include "models/vision/vision.h"
#include "tests/units/support/portrait_file.h"

namespace talkface::auwarp {
namespace {

using testing::Load;
using testing::Picture;

class PortraitEyes : public ::testing::Test {
 protected:
  void SetUp() override { finder_ = vision::OpenFaceFinder(""); }

  std::shared_ptr<const portrait::EnrolledFace> Enrol(const char* name) const {
    const Picture picture = Load(std::string("portraits/") + name);
    FaceInfo info{};
    finder_->FindPortrait(picture.pixels, &info);
    return portrait::EnrolWithLandmarks(picture.pixels, info);
  }

  std::shared_ptr<const vision::FaceFinder> finder_;
};

// The steepest change of luma along the eye, between the open lids: iris against white, or what
// there is on a shut lid. A thirtieth of a face height decides; light on the lid changes less.
float Contrast(const std::vector<uint8_t>& rgba, const portrait::EnrolledFace& face,
               const portrait::Eye& eye, const portrait::HeadPose& head) {
  constexpr float kApart = 0.033f;
  const auto luma = [&](float u, float share) {
    const float upper = eye.upper.At(u), v = upper + share * (eye.lower.At(u) - upper);
    const portrait::Point p = face.geometry.ToPortrait({u + head.u, v + head.v});
    const uint8_t* c =
        &rgba[4 * (static_cast<size_t>(p.v) * face.width + static_cast<size_t>(p.u))];
    return 0.299f * static_cast<float>(c[0]) + 0.587f * static_cast<float>(c[1]) +
           0.114f * static_cast<float>(c[2]);
  };
  const float margin = 0.2f * (eye.upper.to - eye.upper.from);
  float most = 0;
  for (const float share : {0.25f, 0.35f, 0.45f}) {
    for (float u = eye.upper.from + margin; u + kApart < eye.upper.to - margin; u += 0.004f)
      most = std::max(most, std::abs(luma(u + kApart, share) - luma(u, share)));
  }
  return most;
}

TEST_F(PortraitEyes, ShowNothingOfTheEyeWhenShut) {
  float sum = 0;
  int eyes = 0;
  for (const char* name :
       {"01_astronaut_collins.png", "02_obama_official_2012.jpg", "04_grace_hopper_glasses.jpg",
        "06_lincoln_1863_beard_bw.jpg", "08_monalisa.jpg", "10_bouguereau_child.jpg",
        "11_raphael_velata.jpg", "17_durer_1500_crop_frontal_beard.jpg",
        "20_vdweyden_2719px_tightcrop.jpg", "22_grid_glasses_m.png",
        "23_grid_moustache_darkskin_m.png", "astronaut_alpha.png"}) {
    const auto face = Enrol(name);
    SceneSettings options;
    options.target = {face->width,         face->height,          PixelFormat::kRGBA,
                      ColorMatrix::kBt709, ChromaSite::kCentered, false};
    options.idle_motion = true;
    const portrait::PortraitScene scene(face, options, [](const portrait::MouthSite&) {
      return std::make_unique<const portrait::MouthLayer>();
    });
    const portrait::Blink blink = portrait::BlinksUntil(10'000'000'000, options.seed).front();
    const auto render = [&](uint64_t time_ns) {
      std::vector<uint8_t> rgba(4 * static_cast<size_t>(face->width) * face->height);
      FrameTarget target{};
      target.planes[0] = rgba.data();
      target.strides[0] = 4 * face->width;
      portrait::PortraitScene::Frame frame;
      frame.time_ns = time_ns;
      scene.Render(frame, target);
      return rgba;
    };
    const uint64_t shut_ns = blink.begin_ns + 45 * blink.length_ns / 100;
    const portrait::HeadPose head = portrait::HeadPoseAt(shut_ns, options.seed);
    const std::vector<uint8_t> open = render(blink.begin_ns), shut = render(shut_ns);
    for (const portrait::Eye& eye : face->geometry.eyes) {
      EXPECT_TRUE(eye.can_close) << name;
      const float before = Contrast(open, *face, eye, head);
      const float after = Contrast(shut, *face, eye, head);
      EXPECT_LT(after, 0.7f * before) << name;
      sum += after / before;
      ++eyes;
    }
  }
  EXPECT_LT(sum / static_cast<float>(eyes), 0.4f);
}

TEST_F(PortraitEyes, OfADrawingLargerThanTheMeshStayOpen) {
  const auto face = Enrol("14_cartoon_sylvie_rgba.png");
  for (const portrait::Eye& eye : face->geometry.eyes) EXPECT_FALSE(eye.can_close);
}

}  // namespace
}  // namespace talkface::auwarp
