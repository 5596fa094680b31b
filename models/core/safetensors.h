// SPDX-License-Identifier: MIT
// Safetensors files (github.com/huggingface/safetensors: 8-byte length, JSON header, raw data),
// mapped read-only.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/core/mapped_file.h"

namespace talkface {

enum class DType { kF32, kF16, kBF16, kF64, kI64, kI32, kI16, kU8 };

struct TensorView {
  DType dtype;
  std::vector<int64_t> shape;
  const void* data;  // inside the mapping
  uint64_t bytes;
  int64_t Count() const;
};

// An open file. Immutable; views live as long as it does. Errors are Error{kBadPack} naming file
// and tensor.
class SafeTensors {
 public:
  static std::shared_ptr<const SafeTensors> Open(const std::string& path);
  SafeTensors(const SafeTensors&) = delete;
  SafeTensors& operator=(const SafeTensors&) = delete;

  const std::string& path() const { return path_; }
  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  bool Has(const std::string& name) const { return tensors_.count(name) != 0; }
  const TensorView& Get(const std::string& name) const;
  // A float32 tensor of exactly `shape`; "speech.safetensors: conv1.weight has shape 64x80x3,
  // wanted 64x40x3".
  const float* Floats(const std::string& name, const std::vector<int64_t>& shape) const;
  uint64_t bytes() const { return file_.bytes().size(); }

 private:
  explicit SafeTensors(const std::string& path) : path_(path), file_(path) {}
  std::string path_;
  MappedFile file_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

// A tensor to be written; data stays the caller's.
struct TensorSource {
  DType dtype;
  std::vector<int64_t> shape;
  const void* data;
  // Instead of data: writes the tensor's bytes, exactly bytes() of them, when their turn comes.
  std::function<void(std::ostream& out)> produce;

  uint64_t bytes() const;
  void WriteTo(std::ostream& out) const;
};

// Writes a file whole (to a temporary name beside it, then renamed), without gaps between the
// tensors. Throws Error{kFailed} naming the path.
void WriteSafeTensors(const std::string& path, const std::map<std::string, TensorSource>& tensors,
                      const std::map<std::string, std::string>& metadata);

std::string DTypeName(DType dtype);
uint64_t DTypeSize(DType dtype);

}  // namespace talkface
