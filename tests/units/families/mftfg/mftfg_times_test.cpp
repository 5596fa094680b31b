// SPDX-License-Identifier: MIT
// The diffusion times of the samplers' steps, as the denoiser gets them. Latents hardly tell them:
// where each group of a norm is one channel, as in all but wide networks, the norm takes away what
// a time adds. So they are recorded, and compared with times that are counted here anew.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "models/families/mftfg/device_renderer.h"
#include "models/families/mftfg/model/samplers.h"
#include "tests/units/support/cpu_accelerator.h"
#include "tests/units/support/mftfg_stream.h"
#include "tests/units/support/net_times.h"

namespace talkface::mftfg {
namespace {

using torch::Tensor;
using Times = std::vector<int64_t>;

// DDIM's: every (1000 / S)th time, one later, as the official make_ddim_timesteps("uniform") counts
// them; the last one first.
Times PaperTimes(int64_t steps) {
  Times times;
  for (int64_t t = 0; t < 1000; t += 1000 / steps) times.push_back(t + 1);
  std::reverse(times.begin(), times.end());
  return times;
}

// The fast sampler's: 996 (i / S)^2 for i = S ... 1, to the nearest whole number, but at least i.
Times FastSamplersTimes(int64_t steps) {
  Times times;
  for (int64_t i = steps; i > 0; --i) {
    const int64_t nearest = (2 * 996 * i * i + steps * steps) / (2 * steps * steps);
    times.push_back(std::max(nearest, i));
  }
  return times;
}

Times Repeated(const Times& times, int count) {
  Times all;
  for (int i = 0; i < count; ++i) all.insert(all.end(), times.begin(), times.end());
  return all;
}

TEST(DiffusionTimes, AsWrittenOut) {
  const Times paper = PaperTimes(200);
  ASSERT_EQ(paper.size(), 200u);
  EXPECT_EQ(Times(paper.begin(), paper.begin() + 4), (Times{996, 991, 986, 981}));
  EXPECT_EQ(Times(paper.end() - 3, paper.end()), (Times{11, 6, 1}));
  EXPECT_EQ(FastSamplersTimes(8), (Times{996, 763, 560, 389, 249, 140, 62, 16}));
}

// ---- the samplers

using Sample = Tensor (*)(const Schedule&, int64_t, const SamplerInput&);

// Runs a sampler with a denoiser that finds no noise. It shows all three places of a time in a
// step: what the denoiser is told; the noise on what is kept; the scale from x to x0'.
class Recorder {
 public:
  Recorder(Sample sample, int64_t steps, bool masked) {
    given_.latents = torch::zeros({1, 3, 2, 2});
    given_.mask = torch::zeros({1, 1, 2, 2});
    given_.mask.narrow(2, 0, 1).fill_(1);
    given_.noise = [](int64_t) { return torch::ones({1, 3, 2, 2}); };
    SamplerInput input;
    input.start = torch::ones({1, 3, 2, 2});
    input.denoise = [this](const Tensor& x, int64_t t) {
      told_.push_back(t);
      seen_.push_back(x);
      return torch::zeros_like(x);
    };
    if (masked) input.inpainting = &given_;
    input.done = [this](int64_t, const Tensor&, const Tensor& x0) { predicted_.push_back(x0); };
    sample(schedule_, steps, input);
  }

  const Times& told() const { return told_; }

  void ExpectNoiseOf(const Times& times) const {
    const Tensor spread = schedule_.sqrt_one_minus_alphas_cumprod;
    for (size_t i = 0; i < times.size(); ++i)
      EXPECT_EQ(First(seen_[i]), First(spread.narrow(0, times[i], 1))) << "step " << i;
  }

  void ExpectScaleOf(const Times& times) const {
    for (size_t i = 0; i < times.size(); ++i) {
      const double scale = First(seen_[i]) / First(predicted_[i]);
      EXPECT_NEAR(scale / std::sqrt(schedule_.AlphaBar(times[i])), 1, 1e-5) << "step " << i;
    }
  }

 private:
  static float First(const Tensor& x) { return x.flatten()[0].item<float>(); }

  const Schedule schedule_;
  Inpainting given_;
  Times told_;
  std::vector<Tensor> seen_, predicted_;
};

void ExpectTimes(Sample sample, int64_t steps, const Times& wanted) {
  for (const bool masked : {false, true}) {
    SCOPED_TRACE(std::to_string(steps) + (masked ? " steps, masked" : " steps"));
    const Recorder recorder(sample, steps, masked);
    ASSERT_EQ(recorder.told(), wanted);
    recorder.ExpectScaleOf(wanted);
    if (masked) recorder.ExpectNoiseOf(wanted);
  }
}

TEST(DiffusionTimes, OfDdim) {
  for (const int64_t steps : {1, 2, 5, 10, 20, 50, 100, 200, 250, 500})
    ExpectTimes(SampleDdim, steps, PaperTimes(steps));
}

TEST(DiffusionTimes, OfTheFastSampler) {
  for (int64_t steps = 1; steps <= 50; ++steps)
    ExpectTimes(SampleFast, steps, FastSamplersTimes(steps));
}

// ---- the U-Net

class NetTimesTest : public ::testing::TestWithParam<Wiring> {
 protected:
  const torch::NoGradGuard no_gradients_;
  Model model_ = PreparedModel(GetParam());
  NetTimes times_;
};

TEST_P(NetTimesTest, OfTheModelsSampler) {
  const Config& config = model_->config();
  const int64_t cells = config.latent_size(), latent = config.latent_channels, frames = 3;
  FaceLatents face;
  face.masked = face.identity_face = face.frames = torch::zeros({1, latent, cells, cells});
  face.keep = torch::zeros({1, 1, cells, cells});
  const Tensor context = torch::zeros({frames, 1, config.tacn_channels.back()});
  SampleOptions options;
  options.noise = SeededNoise(1, {0, 1, 2}, {latent, cells, cells});
  for (const bool inpaint : {false, true}) {
    options.inpaint = inpaint;
    for (const int64_t batch : {1, 3}) {
      options.batch = batch;
      const int runs = static_cast<int>(frames / batch);
      options.sampler = Sampler::kDdim;
      options.steps = 10;
      model_->Sample(context, face, options);
      EXPECT_EQ(times_.Take(), Repeated(PaperTimes(10), runs));
      options.sampler = Sampler::kFast;
      options.steps = 8;
      model_->Sample(context, face, options);
      EXPECT_EQ(times_.Take(), Repeated(FastSamplersTimes(8), runs));
    }
  }
}

// Frames of a stream: one by one on the plain path, and in batches on a device.
class StreamTimesTest : public NetTimesTest {
 protected:
  StreamTimesTest() {
    SceneSettings options = SceneOf(96, 96, PixelFormat::kI420);
    options.family_options.Set("sampler-steps", kSteps);
    const PortraitAndSpeech portrait(model_, torch::kCPU);
    scene_ = portrait.Scene(options);
    controls_ = portrait.Controls(kFrames);
    times_.Take();
  }

  void Render(bool records) {
    auto accelerator = std::make_unique<CpuAccelerator>();
    accelerator->records = records;
    DeviceRenderer renderer(model_, torch::kCPU, std::move(accelerator));
    FrameMemory memory(SceneOf(96, 96, PixelFormat::kI420).target);
    std::vector<RenderItem> items(kFrames);
    std::vector<const RenderItem*> batch;
    for (size_t i = 0; i < kFrames; ++i) {
      items[i].scene = scene_;
      items[i].controls = controls_[i];
      items[i].target = memory.target;
      batch.push_back(&items[i]);
    }
    renderer.Render(batch);  // the recordings are made
    times_.Take();
    renderer.Render(batch);
  }

  static constexpr int64_t kSteps = 8;
  static constexpr size_t kFrames = 3;
  std::shared_ptr<FaceScene> scene_;
  std::vector<std::shared_ptr<const SpeechControls>> controls_;
};

TEST_P(StreamTimesTest, OnThePlainPath) {
  GenerateFaces(model_, {{scene_.get(), controls_[0]->heard.get()}}, [] { return false; });
  EXPECT_EQ(times_.Take(), FastSamplersTimes(kSteps));
}

TEST_P(StreamTimesTest, OnADeviceRecorded) {
  Render(/*records=*/true);
  EXPECT_EQ(times_.Take(), FastSamplersTimes(kSteps));
}

TEST_P(StreamTimesTest, OnADeviceNotRecorded) {
  Render(/*records=*/false);
  EXPECT_EQ(times_.Take(), FastSamplersTimes(kSteps));
}

const auto kWirings = ::testing::Values(Wiring::kOfficial, Wiring::kCorrected);
const auto kWiringName = [](const auto& wiring) {
  return wiring.param == Wiring::kOfficial ? "Official" : "Corrected";
};
INSTANTIATE_TEST_SUITE_P(Wirings, NetTimesTest, kWirings, kWiringName);
INSTANTIATE_TEST_SUITE_P(Wirings, StreamTimesTest, kWirings, kWiringName);

}  // namespace
}  // namespace talkface::mftfg
