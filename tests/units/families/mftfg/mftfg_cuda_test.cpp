// SPDX-License-Identifier: MIT
// The family on a CUDA device; exits with 77, saying so, where there is none.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <thread>

#include "models/core/scheduler.h"
#include "models/families/mftfg/device_renderer.h"
#include "models/families/mftfg/family.h"
#include "models/torch/device_errors.h"
#include "tests/units/support/expect_error.h"
#include "tests/units/support/mftfg_pack.h"
#include "tests/units/support/mftfg_stream.h"
#include "tests/units/support/temporary_folder.h"

namespace talkface::mftfg {
namespace {

using torch::Tensor;

constexpr uint64_t kMs = 1'000'000;
constexpr double kTolerance = 1e-3;  // of float32, relative to the largest number
const torch::Device kDevice(torch::kCUDA, 0);

class Cuda : public ::testing::Test {
 protected:
  static Model Prepared(torch::Device device, torch::Dtype type = torch::kFloat32) {
    Model model = RandomModel(SmallConfig(Wiring::kCorrected));
    model->PrepareInference(device, type);
    return model;
  }

  const torch::NoGradGuard no_gradients_;
};

double Difference(const Tensor& got, const Tensor& wanted) {
  const Tensor exact = wanted.cpu().to(torch::kFloat64);
  return ((got.cpu().to(torch::kFloat64) - exact).abs().max() / exact.abs().max()).item<double>();
}

// Work of each test's own on a stream of its own, as recording wants it.
class OnLane {
 public:
  OnLane() : lane_(kDevice, nets::Lane::Urgency::kRecorded), entered_(lane_.Enter()) {}

 private:
  nets::Lane lane_;
  c10::OptionalStreamGuard entered_;
};

// ---- composing

TEST_F(Cuda, KernelsComposeAsTheCpuDoes) {
  const auto accelerator = nets::OpenCudaAccelerator(0, 0);
  const OnLane lane;
  torch::manual_seed(8);
  const Tensor picture = torch::rand({3, 16, 16}), sent = picture.to(kDevice);
  for (const testing::DrawnFace& face :
       {testing::DrawnFace{96, 96, 48, 56, 50}, testing::DrawnFace{600, 700, 300, 420, 460}}) {
    const PortraitAndSpeech here(Prepared(torch::kCPU), torch::kCPU, face);
    const PortraitAndSpeech there(Prepared(kDevice), kDevice, face);
    for (const PixelFormat format : {PixelFormat::kI420, PixelFormat::kNV12, PixelFormat::kRGBA}) {
      const SceneSettings options =
          SceneOf(face.width + 1, face.height - 1, format, ChromaSite::kTopLeftCosited);
      const auto scene = here.Scene(options), scene_there = there.Scene(options);
      for (const uint64_t ms : {700, 1500, 3100}) {
        const auto wanted = scene->compositor().Begin(picture, 0.8f, ms * kMs);
        RunCompose(wanted.job);
        const auto got = scene_there->compositor().Begin(sent, 0.8f, ms * kMs);
        accelerator->Compose(got.job);
        // The shares come from enrolments on two devices: up to a level.
        const Tensor apart = got.result.cpu().to(torch::kInt32) - wanted.result.to(torch::kInt32);
        EXPECT_LE(apart.abs().max().item<int>(), 1) << static_cast<int>(format) << " " << ms;
      }
    }
  }
}

// The same job, scene and all, copied to the device: to the bit.
TEST_F(Cuda, KernelsAreTheCpusFunctions) {
  const auto accelerator = nets::OpenCudaAccelerator(0, 0);
  const OnLane lane;
  const PortraitAndSpeech portrait(Prepared(torch::kCPU), torch::kCPU);
  for (const PixelFormat format : {PixelFormat::kI420, PixelFormat::kYV12, PixelFormat::kNV12,
                                   PixelFormat::kRGBA, PixelFormat::kBGRA, PixelFormat::kRGBx,
                                   PixelFormat::kBGRx, PixelFormat::kRGB, PixelFormat::kBGR}) {
    const auto scene = portrait.Scene(SceneOf(97, 95, format, ChromaSite::kLeftCosited));
    torch::manual_seed(9);
    const Tensor picture = torch::rand({3, 16, 16});
    FrameCompositor::Frame here = scene->compositor().Begin(picture, 0.7f, 1500 * kMs);
    here.memory.zero_();
    RunCompose(here.job);
    // Everything that the job points to.
    imaging::ComposeJob job = here.job;
    const imaging::ComposeScene& s = here.job.scene;
    std::vector<Tensor> copies;
    const auto copy = [&copies](const void* from, int64_t bytes) {
      const Tensor host = torch::empty({bytes}, torch::kUInt8);
      std::memcpy(host.data_ptr(), from, static_cast<size_t>(bytes));
      copies.push_back(host.to(kDevice));
      return copies.back().data_ptr<uint8_t>();
    };
    const auto bytes_of = [](const imaging::PixelRows& rows) {
      return int64_t{rows.stride} * (Height(rows.area) + 1);
    };
    const int64_t cells = int64_t{Width(s.face)} * Height(s.face);
    const int64_t nodes = int64_t{s.columns} * s.rows;
    job.scene.portrait.data = copy(s.portrait.data, bytes_of(s.portrait));
    job.scene.frame.data = copy(s.frame.data, bytes_of(s.frame));
    job.scene.places = reinterpret_cast<const float*>(copy(s.places, cells * 8));
    job.scene.shares = reinterpret_cast<const float*>(copy(s.shares, cells * 4));
    job.picture = reinterpret_cast<const float*>(copy(here.job.picture, picture.numel() * 4));
    job.node_x = reinterpret_cast<const int32_t*>(copy(here.job.node_x, nodes * 4));
    job.node_y = reinterpret_cast<const int32_t*>(copy(here.job.node_y, nodes * 4));
    const Tensor memory = torch::zeros_like(here.memory, kDevice);
    uint8_t* const base = here.memory.data_ptr<uint8_t>();
    for (uint8_t* imaging::ComposeJob::*part :
         {&imaging::ComposeJob::pasted, &imaging::ComposeJob::doubled, &imaging::ComposeJob::moved,
          &imaging::ComposeJob::out})
      job.*part = memory.data_ptr<uint8_t>() + (here.job.*part - base);
    accelerator->Compose(job);
    EXPECT_TRUE(torch::equal(memory.cpu(), here.memory)) << static_cast<int>(format);
  }
}

// ---- recording

TEST_F(Cuda, RecordedNetworksComputeTheSame) {
  const auto accelerator = nets::OpenCudaAccelerator(0, 0);
  const OnLane lane;
  Model model = Prepared(kDevice);
  nets::BatchGraphs graphs(
      [&](const std::vector<Tensor>& in) { return model->Decode(in[0], in[0].size(0)); },
      [&](const std::function<void()>& work) { return accelerator->Record(work, 0); }, 2);
  for (const int64_t count : {1, 3, 4, 7, 1, 3}) {
    const Tensor latents = torch::randn({count, 3, 8, 8}, kDevice);
    const Tensor got = graphs.Begin(count, {latents}).Run().clone();
    EXPECT_LT(Difference(got, model->Decode(latents, count)), kTolerance) << count;
  }
  EXPECT_EQ(graphs.trouble(), "");
}

TEST_F(Cuda, ARecordingThatFailsHarmsNothing) {
  const auto accelerator = nets::OpenCudaAccelerator(0, 0);
  const OnLane lane;
  const auto record = [&](const std::function<void()>& work) {
    return accelerator->Record(work, 0);
  };
  nets::BatchGraphs waiting(
      [](const std::vector<Tensor>& in) { return in[0] * in[0].sum().item<float>(); }, record, 2);
  const Tensor x = torch::ones({2, 3}, kDevice);
  EXPECT_TRUE(torch::equal(waiting.Begin(2, {x}).Run().cpu(), torch::full({2, 3}, 6.0f)));
  EXPECT_NE(waiting.trouble(), "");
  nets::BatchGraphs good([](const std::vector<Tensor>& in) { return in[0] * 2 + 1; }, record, 2);
  for (int i = 1; i < 4; ++i)
    EXPECT_TRUE(torch::equal(good.Begin(2, {x * i}).Run().cpu(),
                             torch::full({2, 3}, 2.0f * static_cast<float>(i) + 1)));
  EXPECT_EQ(good.trouble(), "");
}

// ---- the renderer

// Frames of a scene on a device, and what is to be seen of them.
struct Batch {
  Batch(const PortraitAndSpeech& portrait, const std::shared_ptr<FaceScene>& scene,
        const SceneSettings& options, size_t count)
      : controls(portrait.Controls(count)) {
    for (size_t i = 0; i < count; ++i) frames.emplace_back(options.target);
    for (size_t i = 0; i < count; ++i) {
      RenderItem item;
      item.scene = scene;
      item.controls = controls[i];
      item.time_ns = i * kFrameStepNs;
      item.target = frames[i].target;
      items.push_back(item);
    }
    for (const RenderItem& item : items) pointers.push_back(&item);
  }
  std::vector<std::shared_ptr<const SpeechControls>> controls;
  std::vector<FrameMemory> frames;
  std::vector<RenderItem> items;
  std::vector<const RenderItem*> pointers;
};

std::vector<FrameMemory> CpuFrames(Model model, const SceneSettings& options, size_t count) {
  const PortraitAndSpeech portrait(model, torch::kCPU);
  const auto scene = portrait.Scene(options);
  const auto controls = portrait.Controls(count);
  std::vector<FrameMemory> frames;
  for (size_t i = 0; i < count; ++i) {
    frames.emplace_back(options.target);
    const Tensor picture =
        GenerateFaces(model, {{scene.get(), controls[i]->heard.get()}}, [] { return false; });
    scene->Draw({picture, controls[i]->shown}, i * kFrameStepNs, frames.back().target);
  }
  return frames;
}

// How many bytes of frames differ by more than two levels: the nearest code of a cell may flip.
double ShareApart(const std::vector<FrameMemory>& a, const std::vector<FrameMemory>& b) {
  double apart = 0, all = 0;
  for (size_t n = 0; n < a.size(); ++n) {
    for (size_t plane = 0; plane < a[n].planes.size(); ++plane) {
      const auto &x = a[n].planes[plane], &y = b[n].planes[plane];
      for (size_t i = 0; i < x.size(); ++i) apart += std::abs(x[i] - y[i]) > 2 ? 1 : 0;
      all += static_cast<double>(x.size());
    }
  }
  return apart / all;
}

TEST_F(Cuda, FramesAreTheCpusFrames) {
  constexpr size_t kFrames = 5;
  const SceneSettings options = SceneOf(96, 96, PixelFormat::kNV12);
  const std::vector<FrameMemory> wanted = CpuFrames(Prepared(torch::kCPU), options, kFrames);
  Model model = Prepared(kDevice);
  const PortraitAndSpeech portrait(model, kDevice);
  DeviceRenderer renderer(model, kDevice, nets::OpenCudaAccelerator(0, 0));
  Batch batch(portrait, portrait.Scene(options), options, kFrames);
  renderer.Render(batch.pointers);
  EXPECT_LT(ShareApart(batch.frames, wanted), 0.02);
  EXPECT_EQ(renderer.Trouble(), "");
}

TEST_F(Cuda, BatchesOfManyThreadsDoNotMix) {
  constexpr size_t kFrames = 12, kThreads = 3;
  const SceneSettings options = SceneOf(96, 96, PixelFormat::kI420);
  Model model = Prepared(kDevice);
  const PortraitAndSpeech portrait(model, kDevice);
  const auto scene = portrait.Scene(options);
  DeviceRenderer renderer(model, kDevice, nets::OpenCudaAccelerator(0, 0));
  Batch alone(portrait, scene, options, kFrames);
  for (const RenderItem* item : alone.pointers) renderer.Render({item});
  std::vector<std::unique_ptr<Batch>> batches;
  for (size_t t = 0; t < kThreads; ++t)
    batches.push_back(std::make_unique<Batch>(portrait, scene, options, kFrames));
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const torch::NoGradGuard no_gradients;
      const auto& all = batches[t]->pointers;
      for (int round = 0; round < 10; ++round) {
        for (size_t first = 0; first < kFrames; first += t + 2) {
          const size_t end = std::min(first + t + 2, kFrames);
          renderer.Render({all.begin() + static_cast<std::ptrdiff_t>(first),
                           all.begin() + static_cast<std::ptrdiff_t>(end)});
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& batch : batches) EXPECT_LT(ShareApart(batch->frames, alone.frames), 0.02);
}

// ---- memory

TEST_F(Cuda, BeyondTheLimitIsAnErrorOfOneCallOnly) {
  constexpr uint64_t kLimit = uint64_t{1} << 30;
  const auto accelerator = nets::OpenCudaAccelerator(0, kLimit);
  const auto take = [](int64_t bytes) {
    return torch::empty({bytes}, torch::TensorOptions(torch::kUInt8).device(kDevice));
  };
  const Tensor small = take(1 << 20);
  EXPECT_ERROR(nets::WithinMemory({"cuda:0", kLimit}, [&] { take(int64_t{2} << 30); }),
               Code::kNoMemory, "cuda:0", "1024 MiB");
  EXPECT_EQ(small.fill_(3).sum().item<int64_t>(), 3 << 20);
}

TEST_F(Cuda, TheSmallestLimitCountsWhileItIsThere) {
  const auto take = [] {
    torch::empty({int64_t{5} << 28}, torch::TensorOptions(torch::kUInt8).device(kDevice));
  };
  const auto large = nets::OpenCudaAccelerator(0, uint64_t{4} << 30);
  {
    const auto small = nets::OpenCudaAccelerator(0, uint64_t{256} << 20);
    EXPECT_THROW(take(), c10::OutOfMemoryError);
  }
  take();
}

// ---- as an engine has it

TEST_F(Cuda, AnEngineDrawsManyStreams) {
  const test::TemporaryFolder folder;
  WriteRandomPack(folder / "small", SmallConfig(Wiring::kCorrected), /*trained=*/true);
  const auto pack = Pack::Open(folder / "small", "");
  const auto family = OpenFamily({*pack, ResolveDevice(*pack, "cuda"), Precision::kBfloat16, "",
                                  [](int, const char*) {}, uint64_t{8} << 30});
  EXPECT_STREQ(family->info.device, "cuda:0");
  const SceneSettings options = SceneOf(96, 96, PixelFormat::kNV12);
  Model model = Prepared(kDevice, torch::kBFloat16);
  const PortraitAndSpeech portrait(model, kDevice);
  const auto scene = portrait.Scene(options);
  Scheduler scheduler(*family, family->Workers());
  constexpr size_t kStreams = 8, kFrames = 10;
  std::vector<std::thread> streams;
  for (size_t n = 0; n < kStreams; ++n) {
    streams.emplace_back([&] {
      Batch batch(portrait, scene, options, kFrames);
      Scheduler::Client client(scheduler);
      std::vector<uint64_t> tickets;
      for (const RenderItem& item : batch.items)
        tickets.push_back(client.Submit({item, 0, 2 * kMs}));
      for (const uint64_t ticket : tickets) {
        const Status status = client.Wait(ticket, 60'000 * kMs);
        EXPECT_TRUE(status.ok()) << status.message << " " << status.detail;
      }
    });
  }
  for (std::thread& stream : streams) stream.join();
  EXPECT_EQ(scheduler.GetStats().frames, kStreams * kFrames);
  EXPECT_GT(scheduler.GetStats().batch_max, 1u);
}

TEST_F(Cuda, DevicesThatAreNotThereAreNamed) {
  const test::TemporaryFolder folder;
  WriteRandomPack(folder / "small", SmallConfig(Wiring::kCorrected), /*trained=*/true);
  const auto pack = Pack::Open(folder / "small", "");
  EXPECT_ERROR(ResolveDevice(*pack, "cuda:99"), Code::kUnsupported, "cuda:99");
}

// Why no test can run; "" where there is a device.
std::string Missing() {
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr)
    return std::string("no libtorch for CUDA: ") + dlerror();
  return torch::cuda::is_available() ? "" : "no CUDA device";
}

}  // namespace
}  // namespace talkface::mftfg

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const std::string missing = talkface::mftfg::Missing();
  if (!missing.empty()) {
    std::printf("%s: skipped\n", missing.c_str());
    return 77;  // meson's code
  }
  at::globalContext().setAllowTF32CuDNN(false);
  return RUN_ALL_TESTS();
}
