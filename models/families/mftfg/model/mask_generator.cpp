// SPDX-License-Identifier: MIT
#include "models/families/mftfg/model/mask_generator.h"

#include "models/families/mftfg/model/audio2au.h"

namespace talkface::mftfg {
namespace {

namespace nn = torch::nn;
constexpr double kOfficialScale = 255.0;

nn::Conv2d Convolution(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, kernel).stride(stride).padding(padding).bias(false));
}

nn::ConvTranspose2d Doubling(int64_t in, int64_t out) {
  return nn::ConvTranspose2d(
      nn::ConvTranspose2dOptions(in, out, 4).stride(2).padding(1).bias(false));
}

nn::InstanceNorm2d InstanceNorm(int64_t channels) {
  return nn::InstanceNorm2d(nn::InstanceNorm2dOptions(channels).affine(true));
}

}  // namespace

MaskBlockImpl::MaskBlockImpl(int64_t channels)
    : main(Convolution(channels, channels, 3, 1, 1), InstanceNorm(channels), nn::ReLU(),
           Convolution(channels, channels, 3, 1, 1), InstanceNorm(channels)) {
  register_module("main", main);
}

torch::Tensor MaskBlockImpl::forward(const torch::Tensor& x) { return x + main->forward(x); }

MaskGeneratorImpl::MaskGeneratorImpl(const Config& config)
    : unit_scale_(config.official() ? 1.0 : 1.0 / kMaxIntensity) {
  int64_t width = config.mask_channels;
  const auto add = [this](auto layer, int64_t channels) {
    main->push_back(layer);
    main->push_back(InstanceNorm(channels));
    main->push_back(nn::ReLU());
  };
  add(Convolution(3 + kActionUnits, width, 7, 1, 3), width);
  for (int i = 0; i < 2; ++i, width *= 2) add(Convolution(width, 2 * width, 4, 2, 1), 2 * width);
  for (int64_t i = 0; i < config.mask_blocks; ++i) main->push_back(MaskBlock(width));
  for (int i = 0; i < 2; ++i, width /= 2) add(Doubling(width, width / 2), width / 2);
  img_reg->push_back(Convolution(width, 3, 7, 1, 3));
  img_reg->push_back(nn::Tanh());
  attetion_reg->push_back(Convolution(width, 1, 7, 1, 3));
  attetion_reg->push_back(nn::Sigmoid());
  register_module("main", main);
  register_module("img_reg", img_reg);
  register_module("attetion_reg", attetion_reg);
}

torch::Tensor MaskGeneratorImpl::Input(const torch::Tensor& image,
                                       const torch::Tensor& units) const {
  torch::Tensor planes = (units * unit_scale_).unsqueeze(-1).unsqueeze(-1);  // [N, 5, 1, 1]
  planes = planes.expand({-1, -1, image.size(2), image.size(3)});            // [N, 5, H, W]
  return torch::cat({image, planes}, 1);                                     // [N, 8, H, W]
}

MaskOutput MaskGeneratorImpl::forward(const torch::Tensor& image, const torch::Tensor& units) {
  const torch::Tensor x = main->forward(Input(image, units));  // [N, width, H, W]
  return {img_reg->forward(x), attetion_reg->forward(x)};
}

FaceParts SplitFace(const torch::Tensor& reference, const torch::Tensor& mask, Wiring wiring) {
  const double scale = wiring == Wiring::kOfficial ? kOfficialScale : 1.0;
  const torch::Tensor scaled = reference * scale;  // [N, 3, H, W]
  return {scaled * (1 - mask), scaled * mask};
}

}  // namespace talkface::mftfg
