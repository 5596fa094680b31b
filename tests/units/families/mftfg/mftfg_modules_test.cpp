// SPDX-License-Identifier: MIT
// The modules of models/families/mftfg: gradients, windows and padding, wirings, loading. That they
// compute what the original does is shown by tests/units/families/mftfg/parity.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <functional>

#include "models/families/mftfg/model/audio2au.h"
#include "models/families/mftfg/model/audio_encoder.h"
#include "models/families/mftfg/model/fusion.h"
#include "models/families/mftfg/model/landmark_encoder.h"
#include "models/families/mftfg/model/mask_generator.h"
#include "models/torch/parameters.h"
#include "tests/units/support/expect_error.h"
#include "tests/units/support/temporary_folder.h"

namespace talkface::mftfg {
namespace {

using torch::Tensor;

Config SmallConfig(Wiring wiring) {
  Config config;
  config.wiring = wiring;
  config.window_frames = 6;
  config.image_size = 16;
  config.au_hidden = 3;
  config.mask_channels = 2;
  config.mask_blocks = 1;
  config.tacn_channels = {8, 12};
  config.attention_heads = 2;
  return config;
}

constexpr Wiring kWirings[] = {Wiring::kOfficial, Wiring::kCorrected};

Tensor Random(torch::IntArrayRef shape) { return torch::randn(shape, torch::kFloat64); }

// Compares the gradient of a random projection of `run`'s output with finite differences, at a few
// numbers of each tensor in `of`.
void CheckGradients(const std::function<Tensor()>& run, const std::vector<Tensor>& of) {
  constexpr double kStep = 1e-6, kTolerance = 2e-6;
  const Tensor weights = torch::randn_like(run()).detach();
  const auto loss = [&] { return (run() * weights).sum(); };
  const std::vector<Tensor> gradients =
      torch::autograd::grad({loss()}, of, {}, {}, /*create_graph=*/false, /*allow_unused=*/true);
  const torch::NoGradGuard no_gradients;
  bool any = false;
  for (size_t i = 0; i < of.size(); ++i) {
    Tensor numbers = of[i].view(-1);
    const Tensor gradient = gradients[i].defined() ? gradients[i].reshape(-1) : Tensor();
    for (int64_t at = 0; at < numbers.numel(); at += std::max<int64_t>(numbers.numel() / 3, 1)) {
      const double before = numbers[at].item<double>();
      numbers[at] = before + kStep;
      const double above = loss().item<double>();
      numbers[at] = before - kStep;
      const double below = loss().item<double>();
      numbers[at] = before;
      const double wanted = (above - below) / (2 * kStep);
      const double got = gradient.defined() ? gradient[at].item<double>() : 0;
      EXPECT_NEAR(got, wanted, kTolerance * (1 + std::abs(wanted))) << "tensor " << i << " " << at;
      any = any || std::abs(wanted) > 1e-4;
    }
  }
  EXPECT_TRUE(any) << "no number has an influence";
}

// The module in double precision, its parameters, and the inputs: all that has a gradient.
std::vector<Tensor> Differentiable(torch::nn::Module& module, const std::vector<Tensor>& inputs) {
  module.to(torch::kFloat64);
  std::vector<Tensor> all = module.parameters();
  for (const Tensor& input : inputs) all.push_back(input.requires_grad_());
  return all;
}

TEST(MftfgGradients, AudioEncoder) {
  for (const Wiring wiring : kWirings) {
    torch::manual_seed(1);
    AudioEncoder encoder(SmallConfig(wiring));
    const Tensor mfcc = Random({2, 5, 12, 25});
    const Tensor valid = torch::arange(5).expand({2, 5}) < torch::tensor({{5}, {3}});
    CheckGradients([&] { return encoder->forward(mfcc, valid); }, Differentiable(*encoder, {mfcc}));
  }
}

TEST(MftfgGradients, LandmarkEncoder) {
  torch::manual_seed(2);
  LdmNet encoder;
  const Tensor landmarks = Random({2, 1, 39, 2});
  CheckGradients([&] { return encoder->forward(landmarks); },
                 Differentiable(*encoder, {landmarks}));
}

TEST(MftfgGradients, ActionUnits) {
  for (const Wiring wiring : kWirings) {
    for (const bool training : {false, true}) {
      torch::manual_seed(3);
      Audio2AU unit(SmallConfig(wiring));
      unit->eval();  // without dropout
      for (ConvBlock& block : unit->blocks) block->bn1->train(training);
      const Tensor mfcc = Random({2, 4, 12, 25});
      CheckGradients(
          [&] {
            const UnitOutput out = unit->forward(mfcc);
            const Tensor all = torch::cat({out.rnn, out.feature}, -1);
            if (wiring == Wiring::kOfficial) return all;
            return torch::cat({all, out.intensity.unsqueeze(-1)}, -1);
          },
          Differentiable(*unit, {mfcc}));
    }
  }
}

TEST(MftfgGradients, MaskGenerator) {
  torch::manual_seed(4);
  MaskGenerator generator(SmallConfig(Wiring::kCorrected));
  const Tensor image = Random({1, 3, 16, 16}), units = Random({1, 5});
  CheckGradients(
      [&] {
        const MaskOutput out = generator->forward(image, units);
        const FaceParts parts = SplitFace(image, out.mask, Wiring::kCorrected);
        return torch::cat({out.picture, parts.audio_face, parts.identity_face}, 1);
      },
      Differentiable(*generator, {image, units}));
}

FusionInput RandomFusion(const Config& config, int64_t windows, int64_t frames) {
  return {Random({windows, frames, config.audio_features()}),
          Random({windows, 1, 3, 4, 4}),
          Random({windows, 1, 64}),
          Random({windows, frames, 320}),
          {}};
}

TEST(MftfgGradients, Fusion) {
  for (const Wiring wiring : kWirings) {
    torch::manual_seed(5);
    const Config config = SmallConfig(wiring);
    Fusion fusion(config);
    const FusionInput input = RandomFusion(config, 2, 6);
    CheckGradients(
        [&] { return fusion->forward(input); },
        Differentiable(*fusion, {input.audio, input.audio_face, input.landmarks, input.units}));
  }
}

// What lies behind a window's end has no influence on it, whatever it is.
TEST(MftfgWindows, PaddingHasNoInfluence) {
  const torch::NoGradGuard no_gradients;
  torch::manual_seed(6);
  const Config config = SmallConfig(Wiring::kCorrected);
  AudioEncoder audio(config);
  UnitEncoder units(config);
  Fusion fusion(config);
  for (torch::nn::Module* module : std::vector<torch::nn::Module*>{&*audio, &*units, &*fusion}) {
    module->to(torch::kFloat64);
    module->eval();
  }
  const Tensor mfcc = Random({1, 9, 12, 25}), face = Random({1, 1, 3, 4, 4});
  const Tensor landmarks = Random({1, 1, 64});
  const auto context = [&](int64_t frames, const Tensor& valid) {
    const Tensor seen = mfcc.narrow(1, 0, frames);
    const FusionInput input = {audio->forward(seen, valid), face, landmarks,
                               units->forward(seen, valid).features, valid};
    return fusion->forward(input).narrow(0, 0, 6);
  };
  const Tensor alone = context(6, {});
  EXPECT_TRUE(torch::allclose(context(9, torch::arange(9).unsqueeze(0) < 6), alone, 0, 1e-12));
  EXPECT_FALSE(torch::allclose(context(9, {}), alone, 0, 1e-3)) << "frames after have none at all";
}

TEST(MftfgWindows, CorrectedTakesAnyLengthAndOfficialItsOwn) {
  const torch::NoGradGuard no_gradients;
  for (const int64_t frames : {1, 2, 7, 60}) {
    const Config config = SmallConfig(Wiring::kCorrected);
    Fusion fusion(config);
    fusion->to(torch::kFloat64);
    const Tensor context = fusion->forward(RandomFusion(config, 2, frames));
    EXPECT_EQ(context.sizes(), (std::vector<int64_t>{2 * frames, 1, 12}));
  }
  const Config config = SmallConfig(Wiring::kOfficial);
  Fusion fusion(config);
  fusion->to(torch::kFloat64);
  EXPECT_EQ(fusion->forward(RandomFusion(config, 1, 6)).size(2), 8);
  EXPECT_ERROR(fusion->forward(RandomFusion(config, 1, 7)), Code::kInvalid, "exactly 6", "got 7");
}

// The official wiring hears each frame alone, the corrected one hears the order of frames.
TEST(MftfgWindows, OnlyCorrectedUnitsKnowTheOrder) {
  const torch::NoGradGuard no_gradients;
  for (const Wiring wiring : kWirings) {
    torch::manual_seed(7);
    UnitEncoder units(SmallConfig(wiring));
    units->to(torch::kFloat64);
    units->eval();
    const Tensor mfcc = Random({1, 6, 12, 25});
    const UnitsOutput forward = units->forward(mfcc), backward = units->forward(mfcc.flip(1));
    EXPECT_EQ(forward.features.size(2), 320);
    const bool same = torch::allclose(forward.features, backward.features.flip(1), 0, 1e-12);
    EXPECT_EQ(same, wiring == Wiring::kOfficial);
    EXPECT_EQ(forward.intensities.defined(), wiring == Wiring::kCorrected);
    if (!forward.intensities.defined()) continue;
    EXPECT_EQ(forward.intensities.sizes(), (std::vector<int64_t>{1, 6, 5}));
    EXPECT_GE(forward.intensities.min().item<double>(), 0);
    EXPECT_LE(forward.intensities.max().item<double>(), kMaxIntensity);
  }
}

TEST(MftfgMask, CorrectedPartsAddUpToTheReference) {
  const Tensor reference = Random({2, 3, 8, 8}), mask = torch::rand({1, 1, 8, 8}, torch::kFloat64);
  const FaceParts parts = SplitFace(reference, mask, Wiring::kCorrected);
  EXPECT_TRUE(torch::allclose(parts.audio_face + parts.identity_face, reference));
  const FaceParts official = SplitFace(reference, mask, Wiring::kOfficial);
  EXPECT_TRUE(torch::allclose(official.identity_face, 255 * parts.identity_face));
}

TEST(MftfgParameters, NothingKeepsARandomWeight) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "w.safetensors";
  LdmNet saved, loaded;
  std::map<std::string, TensorSource> tensors;
  for (const auto& parameter : saved->named_parameters()) {
    tensors["net." + parameter.key()] = {DType::kF32, parameter.value().sizes().vec(),
                                         parameter.value().data_ptr()};
  }
  WriteSafeTensors(path, tensors, {});
  nets::LoadParameters(*loaded, *SafeTensors::Open(path), "net.");
  for (const auto& parameter : saved->named_parameters())
    EXPECT_TRUE(loaded->named_parameters()[parameter.key()].equal(parameter.value()));
  EXPECT_ERROR(nets::LoadParameters(*loaded, *SafeTensors::Open(path), "other."), Code::kBadPack,
               path, "other.encoder_fc1.0.weight");
  tensors["net.encoder_fc1.4.bias"].shape = {8, 8};
  WriteSafeTensors(path, tensors, {});
  EXPECT_ERROR(nets::LoadParameters(*loaded, *SafeTensors::Open(path), "net."), Code::kBadPack,
               "net.encoder_fc1.4.bias", "[8, 8]", "[64]");
}

}  // namespace
}  // namespace talkface::mftfg
