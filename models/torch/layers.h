// SPDX-License-Identifier: MIT
// The layers that the first stage and the U-Net are made of. Each has a plain path, which autograd,
// any device and any dtype take, and a fast path for inference on a CPU, taken after Pack(). The
// fast path wants channels-last maps; both give the same numbers up to rounding
// (tests/units/families/mftfg/mftfg_layers_test.cpp).
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>

namespace talkface::nets {

// Registers `child` below `parent` under a dotted name of the official state dict, such as
// "in_layers.0"; the levels in between are made where they are missing.
void PlaceModule(torch::nn::Module& parent, const std::string& path,
                 std::shared_ptr<torch::nn::Module> child);

template <class Holder>
Holder Place(torch::nn::Module& parent, const std::string& path, Holder child) {
  PlaceModule(parent, path, child.ptr());
  return child;
}

struct ConvShape {
  int64_t in = 0, out = 0;
  int64_t kernel = 3;
  int64_t stride = 1;
  int64_t padding = 1;
  // Width and height of the maps that Pack() lays the weights out for. Others give the same, but
  // the weights are then laid out anew in every call, which may cost more than the convolution.
  int64_t size = 0;
};

// A layer that has a fast form of its weights.
class Packable {
 public:
  virtual ~Packable() = default;
  // Lays the weights out for inference on the CPU, float32 or bfloat16; others stay as they are.
  // The layer computes the same, but is frozen: its parameters are let go, so that they are not
  // held twice, and no gradient passes it.
  virtual void Pack() = 0;
};

// y = x * W + b, with square kernels. x [B, in, H, W] -> [B, out, H', W'].
class ConvImpl : public torch::nn::Conv2dImpl, public Packable {
 public:
  explicit ConvImpl(const ConvShape& shape);
  torch::Tensor forward(const torch::Tensor& x);
  // forward(x) + shift of each channel, shift [B or 1, out]: one pass on the fast path where it is
  // the same for all of the batch.
  torch::Tensor Shift(const torch::Tensor& x, const torch::Tensor& shift);
  // forward(x) + other, in one pass on the fast path.
  torch::Tensor Add(const torch::Tensor& x, const torch::Tensor& other);
  void Pack() override;

 private:
  int64_t Padding() const;
  const int64_t size_;
  torch::Tensor packed_;
};
TORCH_MODULE(Conv);

// y = x W^T + b over the last axis. x [..., in] -> [..., out].
class DenseImpl : public torch::nn::LinearImpl, public Packable {
 public:
  DenseImpl(int64_t in, int64_t out, bool with_bias = true);
  torch::Tensor forward(const torch::Tensor& x);
  void Pack() override;

 private:
  torch::Tensor packed_;
};
TORCH_MODULE(Dense);

enum class Activation { kNone, kSilu };

// silu(GroupNorm(x)) or GroupNorm(x) over 32 groups; weights stay float32 at every precision.
// x [B, C, H, W] -> the same shape and dtype. The fast path sums deviations from a pixel's value in
// double precision: on near-constant planes, where libtorch's own channels-last kernel is wrong by
// 1e-2, it is as good as on others.
class NormImpl : public torch::nn::GroupNormImpl, public Packable {
 public:
  NormImpl(int64_t channels, double epsilon, Activation activation);
  torch::Tensor forward(const torch::Tensor& x);
  void Pack() override { packed_ = true; }

 private:
  torch::Tensor Fast(const torch::Tensor& x);
  Activation activation_;
  bool packed_ = false;
};
TORCH_MODULE(Norm);

// LayerNorm over the last axis; weights stay float32 at every precision.
class TokenNormImpl : public torch::nn::LayerNormImpl {
 public:
  explicit TokenNormImpl(int64_t channels);
  torch::Tensor forward(const torch::Tensor& x);
};
TORCH_MODULE(TokenNorm);

// Nearest x2 and then a 3x3 convolution: x [B, C, H, W] -> [B, C, 2 H, 2 W]. Each of the four
// output phases sees only 2x2 different inputs, so the fast path runs one 2x2 convolution with 4 C
// outputs and summed weights on the small map: 4/9 of the arithmetic.
class UpsampleConvImpl : public torch::nn::Module, public Packable {
 public:
  // `size`: width and height of x, as in ConvShape.
  UpsampleConvImpl(int64_t channels, int64_t size);
  torch::Tensor forward(const torch::Tensor& x);
  void Pack() override;

 private:
  torch::nn::Conv2d conv_;
  const int64_t size_;
  torch::Tensor phases_;  // packed [4 C, C, 2, 2], by the output row's parity, then the column's
  torch::Tensor phase_bias_;
};
TORCH_MODULE(UpsampleConv);

// Moves a model to a device and precision: weights to `dtype`, norms and codebooks to float32
// (double where `dtype` is). Before PackModel.
void MoveModel(torch::nn::Module& model, torch::Device device, torch::Dtype dtype);

// Pack() on every layer of the model; only on the CPU, and a no-op elsewhere.
void PackModel(torch::nn::Module& model);

}  // namespace talkface::nets
