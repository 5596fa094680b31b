// SPDX-License-Identifier: MIT
#include "models/torch/parameters.h"

#include <functional>
#include <sstream>

#include "models/core/error.h"

namespace talkface::nets {
namespace {

torch::ScalarType TypeOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return torch::kFloat32;
    case DType::kF16:
      return torch::kFloat16;
    case DType::kBF16:
      return torch::kBFloat16;
    case DType::kF64:
      return torch::kFloat64;
    case DType::kI64:
      return torch::kInt64;
    case DType::kI32:
      return torch::kInt32;
    case DType::kI16:
      return torch::kInt16;
    case DType::kU8:
      return torch::kUInt8;
  }
  throw Error(Code::kFailed, "unknown tensor type");
}

std::string ShapeName(torch::IntArrayRef shape) {
  std::ostringstream text;
  text << shape;
  return text.str();
}

void Fill(const std::string& name, torch::Tensor& value, const SafeTensors& file) {
  const TensorView& view = file.Get(name);
  if (value.sizes() != torch::IntArrayRef(view.shape)) {
    throw Error(Code::kBadPack, file.path() + ": " + name + " has shape " + ShapeName(view.shape) +
                                    ", wanted " + ShapeName(value.sizes()) + ".");
  }
  value.copy_(ToTensor(view));
}

void FillAll(torch::nn::Module& module,
             const std::function<void(const std::string&, torch::Tensor&)>& fill) {
  const torch::NoGradGuard no_gradients;
  for (auto& parameter : module.named_parameters()) fill(parameter.key(), parameter.value());
  for (auto& buffer : module.named_buffers()) fill(buffer.key(), buffer.value());
}

}  // namespace

torch::Tensor ToTensor(const TensorView& view) {
  // from_blob takes no const pointer; the clone is what is handed out.
  void* data = const_cast<void*>(view.data);
  return torch::from_blob(data, view.shape, torch::TensorOptions(TypeOf(view.dtype))).clone();
}

void LoadParameters(torch::nn::Module& module, const SafeTensors& file, const std::string& prefix) {
  FillAll(module,
          [&](const std::string& name, torch::Tensor& value) { Fill(prefix + name, value, file); });
}

void LoadParameters(torch::nn::Module& module, const Pack& pack) {
  FillAll(module, [&](const std::string& name, torch::Tensor& value) {
    for (const auto& [part, file] : pack.files())
      if (file->Has(name)) return Fill(name, value, *file);
    throw Error(Code::kBadPack, pack.folder() + ": none of its files has the tensor " + name + ".");
  });
}

}  // namespace talkface::nets
