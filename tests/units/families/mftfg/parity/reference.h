// SPDX-License-Identifier: MIT
// A reference file (`param/*`, `in/*`, `mid/*`, `out/*`: tensors of the original implementation)
// and the comparison with it.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "models/core/safetensors.h"

namespace talkface::parity {

constexpr double kModuleTolerance = 5e-5;  // float32 modules
constexpr double kLatentTolerance = 2e-4;  // after a sampler
constexpr double kExact = 0;               // bytes, indices

class Reference {
 public:
  explicit Reference(std::shared_ptr<const SafeTensors> file) : file_(std::move(file)) {}

  // Of another file, in the same folder.
  std::string PathBeside(const std::string& file) const;

  bool Has(const std::string& name) const { return file_->Has(name); }
  torch::Tensor Get(const std::string& name) const;
  // An entry of the file's metadata; throws where it is missing.
  std::string Fact(const std::string& name) const;
  // The first size of a tensor of any type, and so on.
  int64_t Size(const std::string& name, size_t axis) const;
  // The module's parameters from `param/` + prefix.
  void Load(torch::nn::Module& module, const std::string& prefix);

  // Prints a line: name, shape, largest difference, ok or BAD, (tolerance). Another shape, and a
  // number that is not finite, are BAD. `where`, if given, is a mask of what counts (same shape).
  void Compare(const std::string& name, const torch::Tensor& got, double tolerance,
               const torch::Tensor& where = {});
  // A tensor of `mid/` or `out/` that says something about others, and is not computed.
  void IsNoOutput(const std::string& name) { seen_.insert(name); }

  // Prints a BAD line for each of `mid/` and `out/` that was not compared, and each of `param/`
  // that was not loaded; the number of BAD lines.
  int Finish();

 private:
  void Print(const std::string& name, const std::string& text, bool good);

  std::shared_ptr<const SafeTensors> file_;
  std::set<std::string> seen_;
  int bad_ = 0;
};

}  // namespace talkface::parity
