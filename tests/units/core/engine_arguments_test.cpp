// SPDX-License-Identifier: MIT
// What callers may hand to the engine that cannot be: it says so, and never crashes. And what a job
// may carry beside the portrait.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <limits>
#include <string>

#include "models/core/arguments.h"
#include "models/engine.h"
#include "tests/units/support/engine_library.h"
#include "tests/units/support/expect_error.h"

namespace talkface {
namespace {

using test::DrawnStage;
using test::Held;
using test::Made;

void ExpectInvalid(const Status& status, const std::string& part) {
  EXPECT_EQ(status.code, Code::kInvalid) << part;
  EXPECT_NE(std::strstr(status.message, part.c_str()), nullptr)
      << "'" << part << "' is not in: " << status.message;
}

// Objects of the caller's own making.
struct OwnFace : Face {
  void Ref() noexcept override {}
  void Unref() noexcept override {}
  const FaceInfo& Info() const noexcept override { return info; }
  FaceInfo info;
};
struct OwnScene : Scene {
  void Ref() noexcept override {}
  void Unref() noexcept override {}
};
struct OwnControls : Controls {
  void Ref() noexcept override {}
  void Unref() noexcept override {}
  const float* Units() const noexcept override { return nullptr; }
  bool Idle() const noexcept override { return true; }
};

class EngineArguments : public testing::Test {
 protected:
  Status Prepare(Face* face, const SceneOptions& options) {
    Scene* scene = nullptr;
    const Status status = engine_->Prepare(face, options, &scene);
    EXPECT_EQ(scene != nullptr, status.ok());
    if (scene != nullptr) scene->Unref();
    return status;
  }

  const Held<Engine> engine_ = test::OpenPack("fake");
  DrawnStage stage_{engine_.get()};
};

TEST_F(EngineArguments, NullIsAnsweredByTheArgumentsName) {
  Engine* engine = nullptr;
  ExpectInvalid(test::Open(static_cast<EngineOptions*>(nullptr), &engine), "options is null");
  EngineOptions options;
  ExpectInvalid(test::Open(options, &engine), "options.model is null");
  options.model = "fake";
  ExpectInvalid(test::Open(options, nullptr), "out is null");
  ExpectInvalid(engine_->Enrol(stage_.portrait, nullptr), "out is null");
  ExpectInvalid(engine_->FindFace(stage_.portrait, nullptr, nullptr), "out is null");
  ExpectInvalid(engine_->OpenSpeech(nullptr), "out is null");
  ExpectInvalid(engine_->CreateRenderer(nullptr), "out is null");
  ExpectInvalid(engine_->GetStats(nullptr), "out is null");
  ExpectInvalid(engine_->Prepare(stage_.face.get(), stage_.options, nullptr), "out is null");
  ExpectInvalid(Prepare(nullptr, stage_.options), "face is null");
  ExpectInvalid(Prepare(stage_.face.get(), SceneOptions{}), "options.target is null");
  ExpectInvalid(stage_.speech->Take(0, nullptr), "out is null");
  ExpectInvalid(stage_.renderer->Submit(stage_.job, nullptr), "ticket is null");
  EXPECT_TRUE(stage_.speech->Push(nullptr, 10).ok());  // silence
  test::Entry<decltype(talkface_engine_list_packs)>("talkface_engine_list_packs")(nullptr, nullptr,
                                                                                  nullptr);
}

TEST_F(EngineArguments, NullInAJobIsAnsweredByItsName) {
  Job job = stage_.job;
  job.scene = nullptr;
  ExpectInvalid(stage_.Draw(job), "job.scene is null");
  job = stage_.job;
  job.controls = nullptr;
  ExpectInvalid(stage_.Draw(job), "job.controls is null");
  job = stage_.job;
  job.target = nullptr;
  ExpectInvalid(stage_.Draw(job), "job.target is null");
  stage_.target.planes[0] = nullptr;
  ExpectInvalid(stage_.Draw(), "job.target.planes[0] is null");
}

TEST_F(EngineArguments, SizesThatWereNotFilledInAreRefused) {
  stage_.job.size = 0;
  ExpectInvalid(stage_.Draw(), "job is 0");
  stage_.job.size = sizeof(Job);
  stage_.target.size = 4;
  ExpectInvalid(stage_.Draw(), "job.target is 4");
  EngineOptions options;
  options.model = "fake";
  options.size = 0;
  Engine* engine = nullptr;
  ExpectInvalid(test::Open(options, &engine), "options is 0");
  FaceInfo found;
  found.size = 0xFFFFFFFC;
  ExpectInvalid(engine_->FindFace(stage_.portrait, nullptr, &found), "out is 4294967292");
}

TEST_F(EngineArguments, PicturesThatCannotBeAreRefused) {
  Face* face = nullptr;
  Pixels picture = stage_.portrait;
  picture.data = nullptr;
  ExpectInvalid(engine_->Enrol(picture, &face), "portrait.data is null");
  for (const auto& [width, height, stride] :
       {std::array<uint32_t, 3>{0, 8, 32}, {8, 0, 32}, {8, 8, 31}, {0x40000001, 1, 4}}) {
    const Pixels wrong(stage_.grey.data(), width, height, stride);
    ExpectInvalid(engine_->Enrol(wrong, &face), "portrait is " + std::to_string(width) + " x");
    FaceInfo found;
    ExpectInvalid(engine_->FindFace(wrong, nullptr, &found), "picture is ");
  }
  FaceInfo previous, found;
  previous.landmark_count = kMostLandmarks + 1;
  ExpectInvalid(engine_->FindFace(stage_.portrait, &previous, &found), "previous.landmark_count");
  EXPECT_EQ(face, nullptr);
}

TEST_F(EngineArguments, NumbersOutOfTheirRangeAreRefused) {
  for (const double gain : {-0.1, 4.1, std::numeric_limits<double>::quiet_NaN()}) {
    stage_.job.expression_gain = gain;
    ExpectInvalid(stage_.Draw(), "job.expression_gain");
  }
  stage_.job.expression_gain = 4;
  EXPECT_TRUE(stage_.Draw().ok());
  stage_.target.strides[0] = 63;
  ExpectInvalid(stage_.Draw(), "job.target.strides[0] is 63, wanted 64");
  EngineOptions options;
  options.model = "fake";
  options.precision = static_cast<Precision>(9);
  Engine* engine = nullptr;
  ExpectInvalid(test::Open(options, &engine), "options.precision is 9");
  SceneOptions scene;
  TargetFormat format = stage_.format;
  scene.target = &format;
  format.format = static_cast<PixelFormat>(99);
  ExpectInvalid(Prepare(stage_.face.get(), scene), "pixel format");
  format = stage_.format;
  format.matrix = static_cast<ColorMatrix>(-1);
  ExpectInvalid(Prepare(stage_.face.get(), scene), "options.target.matrix is -1");
}

TEST_F(EngineArguments, ObjectsOfOthersAreRefused) {
  EngineOptions options;
  options.model = "fake";
  options.device_memory_limit = 1 << 20;  // so that it is another engine
  const auto other = Made<Engine>([&](Engine** out) { return test::Open(options, out); });
  ASSERT_NE(other, engine_);
  const DrawnStage others(other.get());
  OwnFace face;
  OwnScene scene;
  OwnControls controls;
  for (Face* wrong : {others.face.get(), static_cast<Face*>(&face)})
    ExpectInvalid(Prepare(wrong, stage_.options), "face was not made by this engine");
  Job job = stage_.job;
  for (Scene* wrong : {others.scene.get(), static_cast<Scene*>(&scene)}) {
    job.scene = wrong;
    ExpectInvalid(stage_.Draw(job), "job.scene was not made by this engine");
  }
  job = stage_.job;
  for (Controls* wrong : {others.controls.get(), static_cast<Controls*>(&controls)}) {
    job.controls = wrong;
    ExpectInvalid(stage_.Draw(job), "job.controls was not made by this engine");
  }
}

TEST_F(EngineArguments, OptionsThatTheFamilyDoesNotHaveAreNamed) {
  const Option option{"sampler-steps", "20"};
  SceneOptions options = stage_.options;
  options.options = &option;
  options.option_count = 1;
  ExpectInvalid(Prepare(stage_.face.get(), options), "no option 'sampler-steps'");
  options.options = nullptr;
  ExpectInvalid(Prepare(stage_.face.get(), options), "options.options is null");
}

TEST_F(EngineArguments, MemoryOfADeviceIsNotDrawnInto) {
  EXPECT_EQ(engine_->Info().memory_kinds, MemoryBit(MemoryKind::kHost));
  for (const int32_t kind : {1, 2, 31, 32, 64, -1}) {
    stage_.target.memory = static_cast<MemoryKind>(kind);
    const Status status = stage_.Draw();
    EXPECT_EQ(status.code, Code::kUnsupported) << kind;
    EXPECT_NE(std::strstr(status.message, "the host's memory"), nullptr) << status.message;
  }
  stage_.target.memory = MemoryKind::kHost;
  stage_.target.fence = &stage_;
  ExpectInvalid(stage_.Draw(), "job.target.fence");
}

TEST_F(EngineArguments, AFrameIsDrawnOnItsBase) {
  ASSERT_EQ(engine_->Info().base_frames, 1u);
  ASSERT_TRUE(stage_.Draw().ok());
  const std::vector<uint8_t> plain = stage_.frame;
  std::vector<uint8_t> red(4 * 8 * 4, 0);  // half as high as wide: black above and below
  for (size_t i = 0; i < red.size(); i += 4) red[i] = red[i + 3] = 255;
  const Pixels pixels(red.data(), 8, 4, 32);
  FaceInfo face;
  ASSERT_TRUE(engine_->FindFace(pixels, nullptr, &face).ok());
  EXPECT_EQ(face.landmark_count, 468u);
  BaseFrame base;
  base.pixels = &pixels;
  base.face = &face;
  stage_.job.base = &base;
  ASSERT_TRUE(stage_.Draw().ok());
  const auto row = [this](size_t y) {
    return std::vector<uint8_t>(&stage_.frame[64 * y], &stage_.frame[64 * y] + 64);
  };
  EXPECT_EQ(row(0), std::vector<uint8_t>(plain.begin(), plain.begin() + 64));
  EXPECT_EQ(row(3), row(0));  // the mark
  for (size_t y : {4u, 11u, 12u, 15u}) {
    const auto wanted =
        y < 12 ? std::array<uint8_t, 4>{255, 0, 0, 255} : std::array<uint8_t, 4>{0, 0, 0, 255};
    for (size_t x = 0; x < 64; ++x) EXPECT_EQ(row(y)[x], wanted[x % 4]) << x << ", " << y;
  }
  base.face = nullptr;
  ExpectInvalid(stage_.Draw(), "job.base.face is null");
  base.face = &face;
  base.pixels = nullptr;
  ExpectInvalid(stage_.Draw(), "job.base.pixels is null");
}

// A family that draws on the still portrait only, and one on a device.
TEST(JobArguments, WhatAFamilyCannotDoIsUnsupported) {
  const TargetFormat format(2, 2, PixelFormat::kRGB, ColorMatrix::kBt709, ChromaSite::kCentered,
                            true);
  uint8_t bytes[12] = {};
  FrameTarget target;
  target.planes[0] = bytes;
  target.strides[0] = 6;
  const BaseFrame base;
  Job job;
  job.target = &target;
  job.stream_id = 5;
  EngineInfo info;
  info.name = "still";
  EXPECT_EQ(ReadItem(job, format, info).stream_id, 5u);
  job.base = &base;
  EXPECT_ERROR(ReadItem(job, format, info), Code::kUnsupported, "'still'", "no base frame");
  job.base = nullptr;
  target.memory = MemoryKind::kCuda;
  target.device = 2;
  target.fence = bytes;
  EXPECT_ERROR(ReadItem(job, format, info), Code::kUnsupported, "'still'", "CUDA memory");
  info.memory_kinds |= MemoryBit(MemoryKind::kCuda);
  const RenderItem item = ReadItem(job, format, info);
  EXPECT_EQ(item.target.memory, MemoryKind::kCuda);
  EXPECT_EQ(item.target.device, 2);
  EXPECT_EQ(item.target.fence, bytes);
}

}  // namespace
}  // namespace talkface
