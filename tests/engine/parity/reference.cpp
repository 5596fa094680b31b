// SPDX-License-Identifier: MIT
#include "tests/engine/parity/reference.h"

#include <cmath>
#include <cstdio>

#include "models/core/error.h"
#include "models/mftfg/parameters.h"

namespace talkface::parity {
namespace {

std::string ShapeName(const torch::Tensor& tensor) {
  std::string name;
  for (int64_t size : tensor.sizes()) name += (name.empty() ? "" : "x") + std::to_string(size);
  return name;
}

}  // namespace

torch::Tensor Reference::Get(const std::string& name) const {
  return mftfg::ToTensor(file_->Get(name));
}

std::string Reference::Fact(const std::string& name) const {
  const auto found = file_->metadata().find(name);
  if (found == file_->metadata().end()) {
    throw Error(Code::kBadPack, file_->path() + ": its metadata has no " + name + ".");
  }
  return found->second;
}

int64_t Reference::Size(const std::string& name, size_t axis) const {
  return file_->Get(name).shape.at(axis);
}

void Reference::Load(torch::nn::Module& module, const std::string& prefix) const {
  mftfg::LoadParameters(module, *file_, "param/" + prefix);
}

void Reference::Compare(const std::string& name, const torch::Tensor& got, double tolerance,
                        const torch::Tensor& where) {
  seen_.insert(name);
  const torch::Tensor wanted = Get(name).to(torch::kFloat64);
  const torch::Tensor value = got.detach().to(torch::kFloat64);
  if (value.sizes() != wanted.sizes()) {
    Print(name, ShapeName(value) + " wanted " + ShapeName(wanted), false);
    return;
  }
  torch::Tensor differences = (value - wanted).abs();
  if (where.defined()) differences = differences.masked_select(where);
  const double worst = differences.numel() > 0 ? differences.max().item<double>() : 0.0;
  char text[120];
  std::snprintf(text, sizeof text, "%-18s %.3g", ShapeName(value).c_str(), worst);
  const bool good = worst <= tolerance;  // not for NaN
  char allowed[40];
  std::snprintf(allowed, sizeof allowed, " (%g)", tolerance);
  Print(name, std::string(text) + (good ? " ok" : " BAD") + allowed, good);
}

int Reference::Finish() {
  for (const auto& [name, view] : file_->tensors()) {
    const bool output = name.rfind("mid/", 0) == 0 || name.rfind("out/", 0) == 0;
    if (output && seen_.count(name) == 0) Print(name, "not compared BAD", false);
  }
  return bad_;
}

void Reference::Print(const std::string& name, const std::string& text, bool good) {
  if (!good) ++bad_;
  std::printf("%-32s %s\n", name.c_str(), text.c_str());
}

}  // namespace talkface::parity
