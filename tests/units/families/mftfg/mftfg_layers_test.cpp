// SPDX-License-Identifier: MIT
// First stage and U-Net: gradients, fast paths against plain ones, sizes.
#include <torch/torch.h>

#include "models/families/mftfg/model/first_stage.h"
#include "models/families/mftfg/model/unet.h"
#include "tests/units/support/expect_error.h"
#include "tests/units/support/mftfg_networks.h"

namespace talkface::mftfg {
namespace {

using torch::Tensor;

const auto kAllUsed = [](const std::string&) { return false; };

// A weighted sum of every output, so that no symmetry hides an error.
Tensor Weighted(const Tensor& output) {
  const Tensor weights = torch::arange(output.numel(), torch::kFloat64).sin().view(output.sizes());
  return (output * weights).sum();
}

class NetworksTest : public testing::Test {
 protected:
  NetworksTest() { torch::manual_seed(1); }
  Config config_ = TinyConfig(Wiring::kCorrected);
};

TEST_F(NetworksTest, FirstStageEncoderGradients) {
  FirstStage model(config_);
  nets::MoveModel(*model, torch::kCPU, torch::kFloat64);
  const Tensor image = torch::randn({2, 3, 12, 12}, torch::kFloat64);
  ExpectGradients(
      *model, [&] { return Weighted(model->Encode(image)); },
      [](const std::string& name) {
        return name.rfind("encoder", 0) != 0 && name.rfind("quant_conv", 0) != 0;
      });
}

TEST_F(NetworksTest, FirstStageDecoderGradients) {
  FirstStage model(config_);
  nets::MoveModel(*model, torch::kCPU, torch::kFloat64);
  const Tensor z = torch::randn({2, 3, 6, 6}, torch::kFloat64);
  ExpectGradients(
      *model, [&] { return Weighted(model->DecodeCodes(z)); },
      [](const std::string& name) {
        return name.rfind("decoder", 0) != 0 && name.rfind("post_quant", 0) != 0;
      });
}

TEST_F(NetworksTest, QuantizerPassesGradientsStraightThrough) {
  Quantizer quantizer(config_);
  const Tensor z = torch::randn({1, 3, 6, 6}).requires_grad_();
  const Tensor codes = quantizer(z);
  (2 * codes).sum().backward();
  EXPECT_TRUE(torch::equal(z.grad(), torch::full_like(z, 2)));
  const Tensor wanted =
      torch::cdist(z.detach().permute({0, 2, 3, 1}).reshape({-1, 3}), quantizer->embedding->weight)
          .argmin(1);
  EXPECT_TRUE(torch::equal(quantizer->Indices(z.detach()).flatten(), wanted));
}

TEST_F(NetworksTest, UnetGradientsWithPlainAttention) {
  Unet model(config_);
  nets::MoveModel(*model, torch::kCPU, torch::kFloat64);
  const Tensor x = torch::randn({2, 9, 6, 6}, torch::kFloat64), t = torch::tensor({3, 801});
  const Tensor context = torch::randn({2, 3, 16}, torch::kFloat64);  // 3 tokens
  ExpectGradients(
      *model, [&] { return Weighted(model(x, t, model->Attend(context))); }, kAllUsed);
}

TEST_F(NetworksTest, UnetGradientsWithFoldedAttention) {
  Unet model(config_);
  nets::MoveModel(*model, torch::kCPU, torch::kFloat64);
  const Tensor x = torch::randn({2, 9, 6, 6}, torch::kFloat64), t = torch::tensor({3, 801});
  const Tensor context = torch::randn({2, 1, 16}, torch::kFloat64);
  ExpectGradients(
      *model, [&] { return Weighted(model(x, t, model->Fold(context))); },
      [](const std::string& name) {
        return name.find("attn2.to_q") != std::string::npos ||
               name.find("attn2.to_k") != std::string::npos ||
               name.find("norm2.") != std::string::npos;
      });
}

TEST_F(NetworksTest, FoldedAttentionEqualsPlain) {
  const torch::NoGradGuard no_gradients;
  Unet model(config_);
  const Tensor x = torch::randn({3, 9, 6, 6}), t = torch::tensor({1, 500, 996});
  const Tensor context = 3 * torch::randn({3, 1, 16});
  EXPECT_LT(Distance(model(x, t, model->Fold(context)), model(x, t, model->Attend(context))), 1e-5);
  EXPECT_ERROR(model->Fold(torch::randn({3, 2, 16})), Code::kInvalid, "2 tokens");
}

TEST_F(NetworksTest, OfficialWiringReadsEightFeaturesOnly) {
  const torch::NoGradGuard no_gradients;
  Unet model(TinyConfig(Wiring::kOfficial));
  const Tensor x = torch::randn({1, 9, 6, 6}), t = torch::tensor({500});
  const Tensor context = torch::randn({1, 1, 16});
  Tensor other = context.clone();
  other.narrow(2, 8, 8).add_(1);
  EXPECT_TRUE(torch::equal(model(x, t, model->Fold(context)), model(x, t, model->Fold(other))));
  other.narrow(2, 7, 1).add_(1);
  EXPECT_FALSE(torch::equal(model(x, t, model->Fold(context)), model(x, t, model->Fold(other))));
}

TEST_F(NetworksTest, PackedUnetEqualsPlain) {
  const torch::NoGradGuard no_gradients;
  Unet model(config_);
  const Tensor x = torch::randn({2, 9, 6, 6}), context = torch::randn({2, 1, 16});
  for (const Tensor& t : {torch::tensor({500}), torch::tensor({1, 996})}) {
    const Tensor plain = model(x, t, model->Fold(context));
    Unet packed(config_);
    for (auto& entry : packed->named_parameters())
      entry.value().copy_(model->named_parameters()[entry.key()]);
    nets::PackModel(*packed);
    EXPECT_LT(Distance(packed(x, t, packed->Fold(context)), plain), 1e-5);
    EXPECT_LT(Distance(packed(x, t, packed->Attend(context)), plain), 1e-5);
  }
}

TEST_F(NetworksTest, PackedFirstStageEqualsPlainOnBigNumbersToo) {
  const torch::NoGradGuard no_gradients;
  FirstStage model(config_), packed(config_);
  for (auto& entry : packed->named_parameters())
    entry.value().copy_(model->named_parameters()[entry.key()]);
  nets::PackModel(*packed);
  const Tensor image = torch::rand({2, 3, 12, 12}) * 2 - 1;
  EXPECT_LT(Distance(packed->Encode(image), model->Encode(image)), 2e-5);
  EXPECT_LT(Distance(packed->Encode(255 * image), model->Encode(255 * image)), 2e-5);
  const Tensor z = torch::randn({2, 3, 6, 6});
  EXPECT_LT(Distance(packed->DecodeCodes(z), model->DecodeCodes(z)), 2e-5);
}

// Half of a picture is black: this is where libtorch's channels-last norm loses its digits.
TEST_F(NetworksTest, PackedNormIsExactOnNearConstantPlanes) {
  const torch::NoGradGuard no_gradients;
  for (const auto activation : {nets::Activation::kNone, nets::Activation::kSilu}) {
    nets::Norm packed(64, 1e-6, activation), exact(64, 1e-6, activation);
    packed->Pack();
    exact->to(torch::kFloat64);
    const Tensor x = 100 + 1e-2 * torch::randn({2, 64, 40, 30});
    EXPECT_LT(Distance(packed(x), exact(x.to(torch::kFloat64))), 1e-5);
  }
}

TEST_F(NetworksTest, BFloat16StaysNear) {
  const torch::NoGradGuard no_gradients;
  Unet model(config_);
  const Tensor x = torch::randn({2, 9, 6, 6}), t = torch::tensor({500});
  const Tensor context = torch::randn({2, 1, 16});
  const Tensor exact = model(x, t, model->Fold(context));
  nets::MoveModel(*model, torch::kCPU, torch::kBFloat16);
  const Tensor plain = model(x, t, model->Fold(context));
  nets::PackModel(*model);
  const Tensor packed = model(x, t, model->Fold(context));
  EXPECT_EQ(packed.dtype(), torch::kFloat32);
  EXPECT_LT(Distance(plain, exact), 0.05);
  EXPECT_LT(Distance(packed, exact), 0.05);
}

TEST_F(NetworksTest, LatentsOfOtherSizes) {
  const torch::NoGradGuard no_gradients;
  Unet bordered(config_);  // made for 6: 1 cell around
  EXPECT_EQ(config_.unet_border(), 1);
  const Tensor t = torch::tensor({500}), context = torch::randn({1, 1, 16});
  const auto run = [&](Unet& model, int64_t size) {
    return model(torch::randn({1, 9, size, size}), t, model->Fold(context)).sizes().vec();
  };
  EXPECT_EQ(run(bordered, 10), (std::vector<int64_t>{1, 3, 10, 10}));
  EXPECT_ERROR(run(bordered, 8), Code::kInvalid, "multiples of 4");
  config_.image_size = 32;  // latents of 16: none around
  EXPECT_EQ(config_.unet_border(), 0);
  Unet plain(config_);
  EXPECT_EQ(run(plain, 16), (std::vector<int64_t>{1, 3, 16, 16}));
}

}  // namespace
}  // namespace talkface::mftfg
