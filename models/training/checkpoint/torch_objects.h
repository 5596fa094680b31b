// SPDX-License-Identifier: MIT
// Tensors and storages of a torch.save file, out of what its pickle says about them.
#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "models/core/safetensors.h"
#include "models/training/checkpoint/pickle_machine.h"
#include "models/training/checkpoint/zip_reader.h"

namespace talkface::checkpoint {

// A tensor in the mapped file; in no order that safetensors could take as it is, if `strides` are
// not those of a contiguous one.
struct StoredTensor {
  DType dtype;
  std::vector<int64_t> shape, strides;  // strides in elements
  const char* data;                     // of element 0; may be unaligned
  const ZipEntry* entry;                // that holds it
  bool contiguous;

  uint64_t bytes() const;
  // The elements in row-major order.
  void WriteTo(std::ostream& out) const;
};

// Knows the handful of calls that make up a state dict. All bounds are checked here: a StoredTensor
// never points outside its entry, and never has more elements than its storage.
class TorchObjects : public PickleCalls {
 public:
  // `folder` is the container's top folder with its "/".
  TorchObjects(const std::string& name, const std::string& folder,
               const std::map<std::string, ZipEntry>& entries)
      : name_(name), folder_(folder), entries_(entries) {}

  Value Call(PickleHeap* heap, std::string_view callable,
             const std::vector<ValueId>& arguments) override;
  Value Persistent(PickleHeap* heap, ValueId id) override;

  std::vector<StoredTensor> TakeTensors() { return std::move(tensors_); }

 private:
  struct StorageType {
    const char* name;
    uint64_t element_bytes;
    bool known;   // whether a pack can hold it
    DType dtype;  // if so
  };
  static const StorageType kStorageTypes[];
  struct Storage {
    const StorageType* type;
    const ZipEntry* entry;
    uint64_t elements;
  };

  [[noreturn]] void Fail(const std::string& what) const;
  Value RebuildTensor(PickleHeap* heap, const std::vector<ValueId>& arguments);
  Value OrderedDict(PickleHeap* heap, const std::vector<ValueId>& arguments);
  std::vector<int64_t> Integers(const PickleHeap& heap, const Value& tuple) const;
  void CheckBounds(const StoredTensor& tensor, uint64_t offset, const Storage& storage) const;

  std::string name_, folder_;
  const std::map<std::string, ZipEntry>& entries_;
  std::vector<Storage> storages_;
  std::vector<StoredTensor> tensors_;
};

}  // namespace talkface::checkpoint
