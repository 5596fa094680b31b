// SPDX-License-Identifier: MIT
// What runs batches on an accelerator, with a CPU in its place: composing, recorded networks, the
// renderer, lack of memory.
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <atomic>
#include <cmath>

#include "models/families/mftfg/device_renderer.h"
#include "models/families/mftfg/family.h"
#include "models/torch/device_errors.h"
#include "tests/units/support/cpu_accelerator.h"
#include "tests/units/support/expect_error.h"
#include "tests/units/support/mftfg_pack.h"
#include "tests/units/support/mftfg_stream.h"
#include "tests/units/support/temporary_folder.h"

namespace talkface::mftfg {
namespace {

using torch::Tensor;

constexpr uint64_t kMs = 1'000'000;

// ---- composing

struct Case {
  SceneSettings options;
  testing::DrawnFace face{96, 96, 48, 56, 50};
};

// Frames by FrameCompositor and by FaceScene::Draw, at times with and without blinks.
void ExpectSameFrames(const Case& one) {
  const torch::NoGradGuard no_gradients;
  const PortraitAndSpeech portrait(PreparedModel(), torch::kCPU, one.face);
  const auto scene = portrait.Scene(one.options);
  ASSERT_TRUE(scene->generates());
  torch::manual_seed(8);
  const Tensor picture = torch::rand({1, 3, 16, 16});
  bool whole = false;
  for (const uint64_t ms : {0, 700, 1500, 2300, 3100, 3900, 4700}) {
    FrameMemory wanted(one.options.target), got(one.options.target);
    scene->Draw({picture, 0.8f}, ms * kMs, wanted.target);
    const Tensor matched = nets::MatchSeams(picture, {&portrait.identity()->seam});
    const FrameCompositor::Frame frame =
        scene->compositor().Begin(matched[0].contiguous(), 0.8f, ms * kMs);
    RunCompose(frame.job);
    scene->compositor().Finish(frame, frame.result.const_data_ptr<uint8_t>(), ms * kMs, got.target);
    EXPECT_LE(got.Distance(wanted), 1)
        << ms << " ms, format " << static_cast<int>(one.options.target.format);
    whole = whole || frame.whole;
  }
  EXPECT_EQ(whole, !one.options.label && !one.face.transparent);
}

constexpr PixelFormat kFormats[] = {PixelFormat::kI420, PixelFormat::kYV12, PixelFormat::kNV12,
                                    PixelFormat::kRGBA, PixelFormat::kBGRA, PixelFormat::kRGBx,
                                    PixelFormat::kBGRx, PixelFormat::kRGB,  PixelFormat::kBGR};

TEST(Compose, EveryFormatIsTheSceneDrawn) {
  for (const PixelFormat format : kFormats) ExpectSameFrames({SceneOf(96, 96, format)});
}

TEST(Compose, ChromaSitesAndOddSizes) {
  for (const ChromaSite site :
       {ChromaSite::kCentered, ChromaSite::kLeftCosited, ChromaSite::kTopLeftCosited}) {
    ExpectSameFrames({SceneOf(97, 95, PixelFormat::kNV12, site)});
    ExpectSameFrames({SceneOf(131, 77, PixelFormat::kI420, site)});  // borders at the sides
  }
}

TEST(Compose, WithoutIdleMotion) {
  SceneSettings options = SceneOf(120, 120, PixelFormat::kI420);
  options.idle_motion = false;
  ExpectSameFrames({options});
}

TEST(Compose, LargeFacesAreNotDoubled) {
  ExpectSameFrames({SceneOf(600, 700, PixelFormat::kNV12), {600, 700, 300, 420, 460}});
}

TEST(Compose, FacesAtTheFramesEdge) {
  ExpectSameFrames({SceneOf(96, 96, PixelFormat::kNV12), {96, 96, 26, 60, 60}});
}

// Those the CPU finishes.
TEST(Compose, LabelAndAlphaAreDrawnFromThePastedPixels) {
  SceneSettings labelled = SceneOf(96, 96, PixelFormat::kI420);
  labelled.label = true;
  ExpectSameFrames({labelled});
  testing::DrawnFace face{96, 96, 48, 56, 50};
  face.transparent = true;
  ExpectSameFrames({SceneOf(96, 96, PixelFormat::kRGBA), face});
}

// ---- recorded networks

class GraphsTest : public ::testing::Test {
 protected:
  // Twice the first input's rows, each plus the second input.
  nets::BatchGraphs Make(size_t most) {
    return nets::BatchGraphs(
        [this](const std::vector<Tensor>& in) {
          ++calls_;
          rows_ = in[0].size(0);
          return (in[0] + in[1]).repeat_interleave(2, 0);
        },
        [this](const std::function<void()>& work) { return accelerator_.Record(work, 0); }, most);
  }

  Tensor Rows(int64_t count) {
    return torch::arange(count * 3, torch::kFloat32).view({count, 3}) + static_cast<float>(count);
  }

  CpuAccelerator accelerator_;
  int calls_ = 0;
  int64_t rows_ = 0;
};

TEST_F(GraphsTest, BatchesAreRoundedUp) {
  const std::pair<int64_t, int64_t> wanted[] = {{1, 1},   {2, 2},    {3, 4},     {5, 8},
                                                {8, 8},   {9, 16},   {17, 32},   {33, 64},
                                                {64, 64}, {65, 128}, {128, 128}, {129, 192}};
  for (const auto& [count, rows] : wanted) EXPECT_EQ(nets::GraphRows(count), rows) << count;
}

TEST_F(GraphsTest, PaddingIsNotSeen) {
  nets::BatchGraphs graphs = Make(8);
  const Tensor add = torch::full({1, 3}, 0.5f);
  for (const int64_t count : {8, 3, 7, 5, 1, 3}) {
    const Tensor rows = Rows(count);
    nets::BatchGraphs::Batch batch = graphs.Begin(count, {rows, add});
    EXPECT_TRUE(torch::equal(batch.Run(), (rows + add).repeat_interleave(2, 0))) << count;
    EXPECT_EQ(rows_, nets::GraphRows(count));
    batch.Set(1, add * 3);
    EXPECT_TRUE(torch::equal(batch.Run(), (rows + add * 3).repeat_interleave(2, 0))) << count;
  }
  EXPECT_EQ(accelerator_.recordings, 3);  // of 8, 4 and 1 rows
  EXPECT_EQ(graphs.trouble(), "");
}

TEST_F(GraphsTest, TheLeastRecentlyUsedOneGoes) {
  nets::BatchGraphs graphs = Make(2);
  const auto run = [&](int64_t count) {
    graphs.Begin(count, {Rows(count), torch::zeros({1, 3})}).Run();
    return accelerator_.recordings;
  };
  EXPECT_EQ(run(1), 1);
  EXPECT_EQ(run(2), 2);
  EXPECT_EQ(run(1), 2);
  EXPECT_EQ(run(4), 3);  // 2 goes
  EXPECT_EQ(graphs.size(), 2u);
  EXPECT_EQ(run(1), 3);
  EXPECT_EQ(run(2), 4);
}

TEST_F(GraphsTest, WhatCannotBeRecordedIsRun) {
  accelerator_.records = false;
  nets::BatchGraphs graphs = Make(2);
  const Tensor rows = Rows(3);
  nets::BatchGraphs::Batch batch = graphs.Begin(3, {rows, torch::ones({1, 3})});
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(torch::equal(batch.Run(), (rows + 1).repeat_interleave(2, 0)));
  EXPECT_EQ(calls_, 2);
  EXPECT_EQ(graphs.trouble(), "no recording here");
}

TEST_F(GraphsTest, LackOfMemoryIsNoTrouble) {
  bool enough = false;
  nets::BatchGraphs graphs(
      [&](const std::vector<Tensor>& in) {
        TORCH_CHECK_WITH(OutOfMemoryError, enough, "too much");
        return in[0] * 2;
      },
      [this](const std::function<void()>& work) { return accelerator_.Record(work, 0); }, 2);
  nets::BatchGraphs::Batch batch = graphs.Begin(3, {Rows(3)});
  EXPECT_THROW(batch.Run(), c10::OutOfMemoryError);
  enough = true;
  EXPECT_TRUE(torch::equal(batch.Run(), Rows(3) * 2));
  EXPECT_EQ(accelerator_.recordings, 1);
}

// ---- the renderer

class RendererTest : public ::testing::TestWithParam<Wiring> {
 protected:
  RendererTest()
      : model_(PreparedModel(GetParam())),
        portrait_(model_, torch::kCPU),
        controls_(portrait_.Controls(12)) {}

  std::unique_ptr<DeviceRenderer> Renderer(bool records = true) {
    auto accelerator = std::make_unique<CpuAccelerator>();
    accelerator->records = records;
    return std::make_unique<DeviceRenderer>(model_, torch::kCPU, std::move(accelerator));
  }

  // Frames first .. first + count - 1 of the speech as the renderer draws them together, against
  // the same one by one on the plain path.
  void ExpectPlainFrames(DeviceRenderer* renderer, const std::shared_ptr<FaceScene>& scene,
                         size_t first, size_t count) {
    const TargetFormat format = SceneOf(96, 96, PixelFormat::kI420).target;
    std::vector<FrameMemory> drawn(count, FrameMemory(format));
    std::vector<RenderItem> items(count);
    std::vector<const RenderItem*> batch;
    for (size_t i = 0; i < count; ++i) {
      drawn[i] = FrameMemory(format);
      items[i].scene = scene;
      items[i].controls = controls_[first + i];
      items[i].time_ns = (first + i) * kFrameStepNs;
      items[i].target = drawn[i].target;
      batch.push_back(&items[i]);
    }
    renderer->Render(batch);
    for (size_t i = 0; i < count; ++i) {
      const SpeechControls& controls = *controls_[first + i];
      FrameMemory wanted(format);
      const Tensor picture =
          GenerateFaces(model_, {{scene.get(), controls.heard.get()}}, [] { return false; });
      scene->Draw({picture, controls.shown}, items[i].time_ns, wanted.target);
      EXPECT_LE(drawn[i].Distance(wanted), 1) << first + i;
    }
  }

  const torch::NoGradGuard no_gradients_;
  Model model_;
  PortraitAndSpeech portrait_;
  std::vector<std::shared_ptr<const SpeechControls>> controls_;
};

TEST_P(RendererTest, DrawsWhatThePlainPathDraws) {
  const auto renderer = Renderer();
  const auto scene = portrait_.Scene(SceneOf(96, 96, PixelFormat::kI420));
  ExpectPlainFrames(renderer.get(), scene, 0, 5);
  ExpectPlainFrames(renderer.get(), scene, 5, 1);
  ExpectPlainFrames(renderer.get(), scene, 6, 3);
  EXPECT_EQ(renderer->Trouble(), "");
}

TEST_P(RendererTest, DrawsWithoutRecordings) {
  const auto renderer = Renderer(/*records=*/false);
  ExpectPlainFrames(renderer.get(), portrait_.Scene(SceneOf(96, 96, PixelFormat::kI420)), 0, 3);
  EXPECT_EQ(renderer->Trouble(), "no recording here");
}

TEST_P(RendererTest, StopsWhenNobodyWantsTheFrames) {
  const auto renderer = Renderer();
  SceneSettings options = SceneOf(96, 96, PixelFormat::kI420);
  options.family_options.Set("sampler-steps", 50);
  FrameMemory memory(options.target);
  const std::atomic<bool> cancelled{true};
  RenderItem item;
  item.scene = portrait_.Scene(options);
  item.controls = controls_[0];
  item.target = memory.target;
  item.cancelled = &cancelled;
  EXPECT_ERROR(renderer->Render({&item}), Code::kCancelled, "Nobody");
  const auto scene = portrait_.Scene(SceneOf(96, 96, PixelFormat::kI420));
  ExpectPlainFrames(renderer.get(), scene, 0, 2);  // and goes on
}

INSTANTIATE_TEST_SUITE_P(Wirings, RendererTest,
                         ::testing::Values(Wiring::kOfficial, Wiring::kCorrected),
                         [](const auto& wiring) {
                           return wiring.param == Wiring::kOfficial ? "Official" : "Corrected";
                         });

// ---- lack of memory

// Libtorch's CPU allocator, until it lacks memory as CUDA's does.
class LackingAllocator final : public c10::Allocator {
 public:
  LackingAllocator() : plain_(c10::GetCPUAllocator()) { c10::SetCPUAllocator(this, kPriority); }
  ~LackingAllocator() override { c10::SetCPUAllocator(plain_, kPriority); }
  c10::DataPtr allocate(size_t bytes) override {
    TORCH_CHECK_WITH(OutOfMemoryError, bytes <= largest, "tried to allocate ", bytes, " bytes");
    return plain_->allocate(bytes);
  }
  c10::DeleterFnPtr raw_deleter() const override { return plain_->raw_deleter(); }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

  std::atomic<size_t> largest{SIZE_MAX};

 private:
  static constexpr uint8_t kPriority = 200;
  c10::Allocator* const plain_;
};

TEST(DeviceMemory, IsNamedInTheError) {
  const auto lack = []() -> int { TORCH_CHECK_WITH(OutOfMemoryError, false, "tried 3 GiB"); };
  EXPECT_ERROR(nets::WithinMemory({"cuda:1", uint64_t{512} << 20}, lack), Code::kNoMemory, "cuda:1",
               "512 MiB", "device-memory-limit");
  EXPECT_ERROR(nets::WithinMemory({"cuda:1", 0}, lack), Code::kNoMemory, "cuda:1", "fewer streams");
  EXPECT_EQ(nets::WithinMemory({"cuda:1", 0}, [] { return 5; }), 5);
}

TEST(DeviceMemory, OneStreamsLackIsNoOtherOnes) {
  const test::TemporaryFolder folder;
  WriteRandomPack(folder / "small", SmallConfig(Wiring::kCorrected), /*trained=*/true);
  const auto pack = Pack::Open(folder / "small", "");
  const auto family =
      OpenFamily({*pack, "cpu", Precision::kFloat32, "", [](int, const char*) {}, 77 << 20});
  const PortraitAndSpeech portrait(PreparedModel(), torch::kCPU);
  const SceneSettings options = SceneOf(96, 96, PixelFormat::kI420);
  FrameMemory memory(options.target);
  RenderItem item;
  item.scene = portrait.Scene(options);
  item.controls = portrait.Controls(1)[0];
  item.target = memory.target;
  const auto speech = family->OpenSpeech();
  const std::vector<float> samples = NoisySpeech(16000);
  speech->Push(samples.data(), samples.size());
  {
    LackingAllocator allocator;
    allocator.largest = 1000;
    EXPECT_ERROR(family->Render({item}), Code::kNoMemory, "cpu", "77 MiB");
    EXPECT_ERROR(speech->Take(0), Code::kNoMemory, "cpu");
  }
  family->Render({item});
  EXPECT_FALSE(speech->Take(0)->idle);
}

}  // namespace
}  // namespace talkface::mftfg
