// SPDX-License-Identifier: MIT
#include "tests/units/families/mftfg/parity/reference.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "models/core/error.h"
#include "models/torch/parameters.h"

namespace talkface::parity {
namespace {

std::string ShapeName(const torch::Tensor& tensor) {
  std::string name;
  for (int64_t size : tensor.sizes()) name += (name.empty() ? "" : "x") + std::to_string(size);
  return name;
}

// TACN's convolutions are in the official state dict twice: "conv1" is "net.0", "conv2" is "net.4".
std::string SecondName(std::string name) {
  for (const auto& [first, second] :
       {std::pair{".conv1.", ".net.0."}, std::pair{".conv2.", ".net.4."}}) {
    const size_t at = name.find(first);
    if (at != std::string::npos) name.replace(at, std::strlen(first), second);
  }
  return name;
}

}  // namespace

std::string Reference::PathBeside(const std::string& file) const {
  return std::filesystem::path(file_->path()).replace_filename(file).string();
}

torch::Tensor Reference::Get(const std::string& name) const {
  return nets::ToTensor(file_->Get(name));
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

void Reference::Load(torch::nn::Module& module, const std::string& prefix) {
  const std::string whole = "param/" + prefix;
  nets::LoadParameters(module, *file_, whole);
  for (const auto& parameter : module.named_parameters()) {
    seen_.insert(whole + parameter.key());
    const std::string second = SecondName(whole + parameter.key());
    if (Has(second) && Get(second).equal(parameter.value())) seen_.insert(second);
  }
  for (const auto& buffer : module.named_buffers()) seen_.insert(whole + buffer.key());
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
    if (name.rfind("in/", 0) == 0 || seen_.count(name) != 0) continue;
    const bool parameter = name.rfind("param/", 0) == 0;
    Print(name, parameter ? "not loaded BAD" : "not compared BAD", false);
  }
  return bad_;
}

void Reference::Print(const std::string& name, const std::string& text, bool good) {
  if (!good) ++bad_;
  std::printf("%-32s %s\n", name.c_str(), text.c_str());
}

}  // namespace talkface::parity
