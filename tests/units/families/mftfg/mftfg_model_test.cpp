// SPDX-License-Identifier: MIT
// The model as a whole at tiny sizes: both wirings, batches, precision.
#include <torch/torch.h>

#include "models/families/mftfg/model/model.h"
#include "tests/units/support/expect_error.h"
#include "tests/units/support/mftfg_networks.h"

namespace talkface::mftfg {
namespace {

using torch::Tensor;

constexpr int64_t kFrames = 5;

class ModelTest : public testing::TestWithParam<Wiring> {
 protected:
  ModelTest() : config_(TinyConfig(GetParam())) {
    torch::manual_seed(2);
    model_ = Model(config_);
    model_->eval();
    const int64_t size = config_.image_size, latent = config_.latent_size();
    pictures_.reference = torch::rand({1, 3, size, size}) * 2 - 1;
    pictures_.mask_input = pictures_.reference;
    pictures_.units = torch::rand({1, 5});
    pictures_.frames = pictures_.reference;
    pictures_.masked = pictures_.reference;
    pictures_.keep = torch::ones({1, 1, latent, latent}, torch::kUInt8);
    pictures_.keep.narrow(2, latent / 2, latent / 2).zero_();
    window_.mfcc = torch::randn({kFrames, 12, 25});
    window_.landmarks = torch::randn({kFrames, 39, 2});
    options_.steps = 4;
    options_.noise = SeededNoise(11, {0, 1, 2, 3, 4}, {config_.latent_channels, latent, latent});
  }

  Tensor Latents(const SampleOptions& options) {
    const FaceLatents face = model_->EncodeFace(pictures_);
    return model_->Sample(model_->Context(window_, face), face, options);
  }

  const torch::NoGradGuard no_gradients_;
  Config config_;
  Model model_{nullptr};
  FacePictures pictures_;
  SpeechWindow window_;
  SampleOptions options_;
};

TEST_P(ModelTest, MakesFrames) {
  const Tensor pictures = model_->Decode(Latents(options_));
  EXPECT_EQ(pictures.sizes(), (std::vector<int64_t>{kFrames, 3, 12, 12}));
  EXPECT_TRUE(pictures.isfinite().all().item<bool>());
  EXPECT_GE(pictures.min().item<double>(), 0);
  EXPECT_LE(pictures.max().item<double>(), 1);
  EXPECT_EQ(ToBytes(pictures).sizes(), (std::vector<int64_t>{kFrames, 12, 12, 3}));
}

TEST_P(ModelTest, EverySplitIntoBatchesGivesTheSame) {
  for (const Sampler sampler : {Sampler::kDdim, Sampler::kFast}) {
    options_.sampler = sampler;
    options_.batch = 1;
    const Tensor single = Latents(options_);
    for (const int64_t batch : {2, 5, 8}) {
      options_.batch = batch;
      EXPECT_LT(Distance(Latents(options_), single), 1e-5);
    }
  }
}

TEST_P(ModelTest, PreparedForInferenceGivesTheSame) {
  const Tensor plain = Latents(options_);
  model_->PrepareInference(torch::kCPU, torch::kFloat32);
  EXPECT_LT(Distance(Latents(options_), plain), 1e-4);
  EXPECT_TRUE(torch::equal(Latents(options_), Latents(options_)));
}

TEST_P(ModelTest, BFloat16StaysNear) {
  const Tensor plain = Latents(options_);
  model_->PrepareInference(torch::kCPU, torch::kBFloat16);
  EXPECT_LT(Distance(Latents(options_), plain), 0.1);
}

TEST_P(ModelTest, Float16IsRefusedOnTheCpu) {
  EXPECT_ERROR(model_->PrepareInference(torch::kCPU, torch::kFloat16), Code::kUnsupported,
               "float16 needs a CUDA device");
}

TEST_P(ModelTest, DoneMayStopTheSampler) {
  options_.done = [](int64_t step, const Tensor&, const Tensor&) {
    if (step == 1) throw Error(Code::kCancelled, "enough");
  };
  EXPECT_ERROR(Latents(options_), Code::kCancelled, "enough");
}

TEST_P(ModelTest, SpeechReachesTheLatents) {
  const Tensor before = Latents(options_);
  window_.mfcc = window_.mfcc.flip(0);
  EXPECT_FALSE(torch::equal(Latents(options_), before));
}

INSTANTIATE_TEST_SUITE_P(Wirings, ModelTest, testing::Values(Wiring::kOfficial, Wiring::kCorrected),
                         [](const auto& wiring) {
                           return wiring.param == Wiring::kOfficial ? "Official" : "Corrected";
                         });

}  // namespace
}  // namespace talkface::mftfg
