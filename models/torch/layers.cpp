// SPDX-License-Identifier: MIT
#include "models/torch/layers.h"

#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "models/torch/norm_kernel.h"

namespace talkface::nets {
namespace {

namespace nn = torch::nn;
using torch::Tensor;
using Scalars = c10::List<std::optional<at::Scalar>>;
using Attribute = std::string_view;
using OptionalAttribute = std::optional<std::string_view>;

constexpr int64_t kNormGroups = 32;

// oneDNN's operators on weights laid out before, as libtorch registers them.
using ConvSignature = Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&,
                             at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, int64_t, Attribute,
                             Scalars, OptionalAttribute);
using ConvAddSignature = Tensor(const Tensor&, const Tensor&, const Tensor&,
                                const std::optional<Tensor>&, at::IntArrayRef, at::IntArrayRef,
                                at::IntArrayRef, int64_t, Attribute, std::optional<at::Scalar>,
                                OptionalAttribute, Scalars, OptionalAttribute);
using DenseSignature = Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, Attribute,
                              Scalars, OptionalAttribute);
using DenseReorderSignature = Tensor(const Tensor&, std::optional<int64_t>);

template <class Signature>
const c10::TypedOperatorHandle<Signature>& Operator(const char* name, const char* overload = "") {
  static const auto handle =
      c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).template typed<Signature>();
  return handle;
}

bool HaveOneDnn() {
  static const bool have =
      c10::Dispatcher::singleton().findSchema({"mkldnn::_convolution_pointwise", ""}).has_value();
  return have;
}

bool CanPack(const Tensor& weight) {
  return HaveOneDnn() && weight.is_cpu() && weight.numel() > 0 &&
         (weight.dtype() == torch::kFloat32 || weight.dtype() == torch::kBFloat16);
}

// What Pack() leaves of a parameter: its type.
void LetGo(Tensor& parameter) { parameter.set_data(torch::empty({0}, parameter.options())); }

// For maps [1, in, size, size].
Tensor PackConv(const Tensor& weight, int64_t stride, int64_t padding, int64_t size) {
  const torch::NoGradGuard no_gradients;
  const std::array<int64_t, 4> maps = {1, weight.size(1), size, size};
  return at::mkldnn_reorder_conv2d_weight(weight.detach().contiguous().to_mkldnn(),
                                          {padding, padding}, {stride, stride}, {1, 1}, 1,
                                          size > 0 ? at::OptionalIntArrayRef(maps) : std::nullopt);
}

Tensor RunConv(const Tensor& x, const Tensor& packed, const Tensor& bias, int64_t stride,
               int64_t padding) {
  static const auto op = Operator<ConvSignature>("mkldnn::_convolution_pointwise");
  return op.call(x, packed, bias, {padding, padding}, {stride, stride}, {1, 1}, 1, "none",
                 Scalars(), std::nullopt);
}

}  // namespace

void PlaceModule(nn::Module& parent, const std::string& path, std::shared_ptr<nn::Module> child) {
  const size_t dot = path.find('.');
  if (dot == std::string::npos) {
    parent.register_module(path, std::move(child));
    return;
  }
  const std::string level = path.substr(0, dot);
  const auto levels = parent.named_children();
  auto* found = levels.find(level);
  const auto inner =
      found ? *found : parent.register_module(level, std::make_shared<nn::Module>(level));
  PlaceModule(*inner, path.substr(dot + 1), std::move(child));
}

ConvImpl::ConvImpl(const ConvShape& shape)
    : nn::Conv2dImpl(nn::Conv2dOptions(shape.in, shape.out, shape.kernel)
                         .stride(shape.stride)
                         .padding(shape.padding)),
      size_(shape.size) {}

Tensor ConvImpl::forward(const Tensor& x) {
  if (!packed_.defined()) return nn::Conv2dImpl::forward(x);
  return RunConv(x, packed_, bias, options.stride()->at(0), Padding());
}

Tensor ConvImpl::Shift(const Tensor& x, const Tensor& shift) {
  if (!packed_.defined() || shift.size(0) != 1) return forward(x) + shift.unsqueeze(2).unsqueeze(3);
  return RunConv(x, packed_, bias + shift.squeeze(0), options.stride()->at(0), Padding());
}

Tensor ConvImpl::Add(const Tensor& x, const Tensor& other) {
  if (!packed_.defined()) return nn::Conv2dImpl::forward(x) + other;
  static const auto op = Operator<ConvAddSignature>("mkldnn::_convolution_pointwise", "binary");
  const int64_t stride = options.stride()->at(0), padding = Padding();
  return op.call(x, other.contiguous(at::MemoryFormat::ChannelsLast), packed_, bias,
                 {padding, padding}, {stride, stride}, {1, 1}, 1, "add", at::Scalar(1.0),
                 std::nullopt, Scalars(), std::nullopt);
}

int64_t ConvImpl::Padding() const {
  return std::get<torch::ExpandingArray<2>>(options.padding())->at(0);
}

void ConvImpl::Pack() {
  if (!CanPack(weight)) return;
  packed_ = PackConv(weight, options.stride()->at(0), Padding(), size_);
  LetGo(weight);
}

DenseImpl::DenseImpl(int64_t in, int64_t out, bool with_bias)
    : nn::LinearImpl(nn::LinearOptions(in, out).bias(with_bias)) {}

Tensor DenseImpl::forward(const Tensor& x) {
  if (!packed_.defined()) return nn::LinearImpl::forward(x);
  static const auto op = Operator<DenseSignature>("mkldnn::_linear_pointwise");
  const auto with_bias = bias.defined() ? std::optional<Tensor>(bias) : std::nullopt;
  return op.call(x, packed_, with_bias, "none", Scalars(), std::nullopt);
}

void DenseImpl::Pack() {
  if (!CanPack(weight)) return;
  const torch::NoGradGuard no_gradients;
  static const auto op = Operator<DenseReorderSignature>("mkldnn::_reorder_linear_weight");
  packed_ = op.call(weight.detach().contiguous(), std::nullopt);
  LetGo(weight);
}

NormImpl::NormImpl(int64_t channels, double epsilon, Activation activation)
    : nn::GroupNormImpl(
          nn::GroupNormOptions(std::min(kNormGroups, channels), channels).eps(epsilon)),
      activation_(activation) {}

Tensor NormImpl::forward(const Tensor& x) {
  const bool fast =
      packed_ && x.is_cpu() && (x.dtype() == torch::kFloat32 || x.dtype() == torch::kBFloat16);
  if (fast) return Fast(x.contiguous(at::MemoryFormat::ChannelsLast));
  Tensor y = nn::GroupNormImpl::forward(x.to(weight.dtype()).contiguous());
  if (activation_ == Activation::kSilu) y = torch::silu(y);
  return y.to(x.dtype());
}

// x is channels-last.
Tensor NormImpl::Fast(const Tensor& x) {
  Tensor y = torch::empty_like(x);
  NormJob job;
  job.bfloat16 = x.dtype() == torch::kBFloat16;
  job.pixels = x.size(2) * x.size(3);
  job.channels = x.size(1);
  job.groups = options.num_groups();
  job.epsilon = options.eps();
  job.weight = weight.data_ptr<float>();
  job.bias = bias.data_ptr<float>();
  job.silu = activation_ == Activation::kSilu;
  const auto parallel = [](int64_t count, const std::function<void(int64_t, int64_t)>& body) {
    at::parallel_for(0, count, 1, body);
  };
  const int64_t step = job.pixels * job.channels * x.element_size();
  for (int64_t b = 0; b < x.size(0); ++b) {
    job.input = static_cast<const char*>(x.const_data_ptr()) + b * step;
    job.output = static_cast<char*>(y.mutable_data_ptr()) + b * step;
    RunGroupNorm(job, parallel);
  }
  return y;
}

TokenNormImpl::TokenNormImpl(int64_t channels)
    : nn::LayerNormImpl(nn::LayerNormOptions({channels})) {}

Tensor TokenNormImpl::forward(const Tensor& x) {
  return nn::LayerNormImpl::forward(x.to(weight.dtype())).to(x.dtype());
}

UpsampleConvImpl::UpsampleConvImpl(int64_t channels, int64_t size)
    : conv_(Place(*this, "conv", nn::Conv2d(nn::Conv2dOptions(channels, channels, 3).padding(1)))),
      size_(size) {}

Tensor UpsampleConvImpl::forward(const Tensor& x) {
  if (!phases_.defined()) return conv_(at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)}));
  const int64_t batch = x.size(0), channels = x.size(1), rows = x.size(2), columns = x.size(3);
  // Cell (i, j) sees the inputs i-1, i and j-1, j.
  const Tensor cells =
      RunConv(x, phases_, phase_bias_, 1, 1).permute({0, 2, 3, 1});  // [B, H + 1, W + 1, 4 C]
  Tensor y = torch::empty({batch, rows, 2, columns, 2, channels}, x.options());
  for (int64_t phase = 0; phase < 4; ++phase) {
    const int64_t down = phase / 2, right = phase % 2;
    y.select(4, right).select(2, down).copy_(cells.narrow(1, down, rows)
                                                 .narrow(2, right, columns)
                                                 .narrow(3, phase * channels, channels));
  }
  return y.view({batch, 2 * rows, 2 * columns, channels}).permute({0, 3, 1, 2});
}

void UpsampleConvImpl::Pack() {
  if (!CanPack(conv_->weight)) return;
  const torch::NoGradGuard no_gradients;
  // Output row 2i sees input rows i-1 (tap 0) and i (taps 1, 2); row 2i+1 sees i (0, 1) and i+1
  // (2).
  const auto split = [](const Tensor& w, int64_t axis, int64_t parity) {
    const int64_t first = parity == 0 ? 1 : 2;
    return torch::cat({w.narrow(axis, 0, first).sum(axis, true),
                       w.narrow(axis, first, 3 - first).sum(axis, true)},
                      axis);
  };
  const Tensor weight = conv_->weight.detach().to(torch::kFloat64);
  std::vector<Tensor> phases;
  for (int64_t phase = 0; phase < 4; ++phase)
    phases.push_back(split(split(weight, 2, phase / 2), 3, phase % 2));
  phases_ = PackConv(torch::cat(phases, 0).to(conv_->weight.dtype()), 1, 1, size_);
  phase_bias_ = conv_->bias.detach().repeat({4});
  LetGo(conv_->weight);
}

void MoveModel(nn::Module& model, torch::Device device, torch::Dtype dtype) {
  const torch::NoGradGuard no_gradients;
  const auto exact_dtype = dtype == torch::kFloat64 ? torch::kFloat64 : torch::kFloat32;
  for (const auto& module : model.modules(/*include_self=*/false)) {
    const bool exact = dynamic_cast<NormImpl*>(module.get()) != nullptr ||
                       dynamic_cast<TokenNormImpl*>(module.get()) != nullptr ||
                       dynamic_cast<nn::EmbeddingImpl*>(module.get()) != nullptr;
    for (Tensor& parameter : module->parameters(/*recurse=*/false))
      parameter.set_data(parameter.to(device, exact ? exact_dtype : dtype));
  }
}

void PackModel(nn::Module& model) {
  for (const auto& module : model.modules(/*include_self=*/false))
    if (auto* packable = dynamic_cast<Packable*>(module.get())) packable->Pack();
}

}  // namespace talkface::nets
