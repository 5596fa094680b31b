// SPDX-License-Identifier: MIT
// An opened file of torch.save (PyTorch 1.6 and newer; of Lightning as well). Nothing in it is ever
// run, and tensors stay in the mapped file.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "models/core/mapped_file.h"
#include "models/training/checkpoint/torch_objects.h"

namespace talkface::checkpoint {

// A dict of tensors.
struct StateDict {
  std::map<std::string, const StoredTensor*> tensors;
  std::map<std::string, std::string> others;  // what is none, by name: what it is
};

// Immutable but for CheckData's memory: for one thread. Tensors live as long as it does. Every
// error is an Error{kNotFound | kBadPack} that names the file.
class Checkpoint {
 public:
  static std::shared_ptr<const Checkpoint> Open(const std::string& path);

  const std::string& path() const { return path_; }
  // The dict under `key` of the outermost dict, or this one itself if `key` is empty.
  StateDict Tensors(const std::string& key) const;
  // Whether the outermost dict has a dict under this key.
  bool HasDict(const std::string& key) const;
  // Reads all of the tensor's data and compares its checksum, the first time.
  void CheckData(const StoredTensor& tensor) const;

 private:
  explicit Checkpoint(const std::string& path) : path_(path), file_(path) {}
  [[noreturn]] void Fail(const std::string& what) const;
  void CheckKind() const;
  const ZipEntry& Entry(const std::string& name) const;
  const Value* FindDict(const std::string& key) const;
  std::string Describe(const Value& value) const;

  std::string path_;
  MappedFile file_;
  std::map<std::string, ZipEntry> entries_;
  PickleHeap heap_;
  ValueId root_ = 0;
  std::vector<StoredTensor> tensors_;
  mutable std::set<const ZipEntry*> checked_;
};

}  // namespace talkface::checkpoint
