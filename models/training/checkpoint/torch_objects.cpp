// SPDX-License-Identifier: MIT
#include "models/training/checkpoint/torch_objects.h"

#include <algorithm>
#include <ostream>

#include "models/core/error.h"

namespace talkface::checkpoint {
namespace {

using Kind = Value::Kind;

constexpr size_t kMaxDimensions = 64;  // as libtorch
constexpr size_t kGatherBytes = 1 << 20;

bool IsContiguous(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return true;  // has no elements
  int64_t wanted = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] != 1 && strides[i] != wanted) return false;
    wanted *= shape[i];
  }
  return true;
}

// Whether two indices may mean the same element.
bool MayOverlap(const StoredTensor& tensor) {
  std::vector<std::pair<int64_t, int64_t>> dimensions;  // stride, size
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    if (tensor.shape[i] > 1) dimensions.emplace_back(tensor.strides[i], tensor.shape[i]);
  }
  std::sort(dimensions.begin(), dimensions.end());
  int64_t reach = 0;  // of all dimensions with smaller strides
  for (const auto& [stride, size] : dimensions) {
    if (stride <= reach) return true;
    reach += stride * (size - 1);
  }
  return false;
}

}  // namespace

const TorchObjects::StorageType TorchObjects::kStorageTypes[] = {
    {"torch.FloatStorage", 4, true, DType::kF32},
    {"torch.HalfStorage", 2, true, DType::kF16},
    {"torch.BFloat16Storage", 2, true, DType::kBF16},
    {"torch.DoubleStorage", 8, true, DType::kF64},
    {"torch.LongStorage", 8, true, DType::kI64},
    {"torch.IntStorage", 4, true, DType::kI32},
    {"torch.ShortStorage", 2, true, DType::kI16},
    {"torch.ByteStorage", 1, true, DType::kU8},
    {"torch.CharStorage", 1, false, DType::kU8},
    {"torch.BoolStorage", 1, false, DType::kU8},
    {"torch.ComplexFloatStorage", 8, false, DType::kU8},
    {"torch.ComplexDoubleStorage", 16, false, DType::kU8},
    {"torch.storage.UntypedStorage", 1, false, DType::kU8},
};

uint64_t StoredTensor::bytes() const {
  uint64_t count = DTypeSize(dtype);
  for (int64_t size : shape) count *= static_cast<uint64_t>(size);
  return count;
}

void StoredTensor::WriteTo(std::ostream& out) const {
  if (contiguous) {
    out.write(data, static_cast<std::streamsize>(bytes()));
    return;
  }
  const uint64_t size = DTypeSize(dtype), total = bytes();
  std::vector<int64_t> index(shape.size(), 0);
  std::string gathered;
  int64_t at = 0;  // element that index means
  for (uint64_t done = 0; done < total; done += size) {
    gathered.append(data + static_cast<uint64_t>(at) * size, size);
    if (gathered.size() >= kGatherBytes) {
      out.write(gathered.data(), static_cast<std::streamsize>(gathered.size()));
      gathered.clear();
    }
    for (size_t i = shape.size(); i-- > 0;) {  // the next index in row-major order
      at += strides[i];
      if (++index[i] < shape[i]) break;
      at -= strides[i] * shape[i];
      index[i] = 0;
    }
  }
  out.write(gathered.data(), static_cast<std::streamsize>(gathered.size()));
}

void TorchObjects::Fail(const std::string& what) const {
  throw Error(Code::kBadPack, name_ + ": " + what + ".");
}

Value TorchObjects::Call(PickleHeap* heap, std::string_view callable,
                         const std::vector<ValueId>& arguments) {
  if (callable == "torch._utils._rebuild_tensor_v2") return RebuildTensor(heap, arguments);
  if (callable == "torch._utils._rebuild_parameter" ||
      callable == "torch._utils._rebuild_parameter_with_state") {
    if (!arguments.empty() && (*heap)[arguments[0]].kind == Kind::kTensor)
      return (*heap)[arguments[0]];
  }
  if (callable == "collections.OrderedDict") return OrderedDict(heap, arguments);
  if (callable == "torch.Size" && arguments.size() == 1 &&
      (*heap)[arguments[0]].kind == Kind::kTuple) {
    return (*heap)[arguments[0]];
  }
  return heap->Unknown(std::string(callable));
}

// OrderedDict(), or of a list of pairs as older versions of Python write it.
Value TorchObjects::OrderedDict(PickleHeap* heap, const std::vector<ValueId>& arguments) {
  Value dict;
  dict.kind = Kind::kDict;
  if (arguments.empty()) return dict;
  const Value& pairs = (*heap)[arguments[0]];
  if (arguments.size() != 1 || pairs.kind != Kind::kList) return heap->Unknown("an OrderedDict");
  for (ValueId id : pairs.items) {
    const Value& pair = (*heap)[id];
    if (pair.items.size() != 2 || (pair.kind != Kind::kTuple && pair.kind != Kind::kList))
      return heap->Unknown("an OrderedDict");
    dict.items.insert(dict.items.end(), pair.items.begin(), pair.items.end());
  }
  return dict;
}

// ('storage', type, key, location, elements): the data are the entry data/KEY.
Value TorchObjects::Persistent(PickleHeap* heap, ValueId id) {
  const Value& tuple = (*heap)[id];
  const auto item = [&](size_t i) -> const Value& { return (*heap)[tuple.items[i]]; };
  if (tuple.kind != Kind::kTuple || tuple.items.size() != 5 || item(0).text != "storage" ||
      item(1).kind != Kind::kGlobal || item(2).kind != Kind::kText || item(4).kind != Kind::kInt ||
      item(4).number < 0) {
    Fail("it refers to something that is no tensor data");
  }
  const StorageType* type =
      std::find_if(std::begin(kStorageTypes), std::end(kStorageTypes),
                   [&](const StorageType& candidate) { return item(1).text == candidate.name; });
  if (type == std::end(kStorageTypes)) return heap->Unknown(std::string(item(1).text));
  const std::string path = folder_ + "data/" + std::string(item(2).text);
  const auto found = entries_.find(path);
  if (found == entries_.end()) Fail(path + " is missing: the file is incomplete");
  Storage storage{type, &found->second, static_cast<uint64_t>(item(4).number)};
  if (storage.elements > found->second.data.size() / storage.type->element_bytes) {
    Fail(path + " has " + std::to_string(found->second.data.size()) + " bytes, wanted " +
         std::to_string(storage.elements) + " elements of " +
         std::to_string(storage.type->element_bytes) + " bytes");
  }
  storages_.push_back(storage);
  Value value;
  value.kind = Kind::kStorage;
  value.number = static_cast<int64_t>(storages_.size() - 1);
  return value;
}

std::vector<int64_t> TorchObjects::Integers(const PickleHeap& heap, const Value& tuple) const {
  std::vector<int64_t> numbers;
  if (tuple.kind != Kind::kTuple || tuple.items.size() > kMaxDimensions)
    Fail("a tensor's shape is no list of up to 64 numbers");
  for (ValueId id : tuple.items) {
    if (heap[id].kind != Kind::kInt || heap[id].number < 0)
      Fail("a tensor's shape or stride holds what is no positive number");
    numbers.push_back(heap[id].number);
  }
  return numbers;
}

// _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)
Value TorchObjects::RebuildTensor(PickleHeap* heap, const std::vector<ValueId>& arguments) {
  const auto argument = [&](size_t i) -> const Value& { return (*heap)[arguments[i]]; };
  if (!arguments.empty() && argument(0).kind == Kind::kUnknown)
    return heap->Unknown("a tensor of " + std::string(argument(0).text));
  if (arguments.size() < 4 || argument(0).kind != Kind::kStorage ||
      argument(1).kind != Kind::kInt || argument(1).number < 0) {
    Fail("a tensor is described in an unknown way");
  }
  const Storage& storage = storages_[static_cast<size_t>(argument(0).number)];
  StoredTensor tensor{};
  tensor.shape = Integers(*heap, argument(2));
  tensor.strides = Integers(*heap, argument(3));
  for (size_t i = 0; i < std::min(tensor.shape.size(), tensor.strides.size()); ++i) {
    if (tensor.shape[i] == 1) tensor.strides[i] = 0;  // never taken, so it may be anything
  }
  const auto offset = static_cast<uint64_t>(argument(1).number);
  CheckBounds(tensor, offset, storage);
  if (!storage.type->known) return heap->Unknown("a tensor of " + std::string(storage.type->name));
  tensor.dtype = storage.type->dtype;
  tensor.entry = storage.entry;
  tensor.data = storage.entry->data.data() + offset * storage.type->element_bytes;
  tensor.contiguous = IsContiguous(tensor.shape, tensor.strides);
  tensors_.push_back(std::move(tensor));
  Value value;
  value.kind = Kind::kTensor;
  value.number = static_cast<int64_t>(tensors_.size() - 1);
  return value;
}

// Every element lies in the storage, and no two are the same one.
void TorchObjects::CheckBounds(const StoredTensor& tensor, uint64_t offset,
                               const Storage& storage) const {
  if (tensor.shape.size() != tensor.strides.size())
    Fail("a tensor has " + std::to_string(tensor.shape.size()) + " sizes and " +
         std::to_string(tensor.strides.size()) + " strides");
  uint64_t last = offset;
  bool empty = false, overflow = false;
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    uint64_t reach = 0;
    empty |= tensor.shape[i] == 0;
    const auto steps = static_cast<uint64_t>(std::max<int64_t>(tensor.shape[i], 1) - 1);
    overflow |= __builtin_mul_overflow(steps, static_cast<uint64_t>(tensor.strides[i]), &reach) ||
                __builtin_add_overflow(last, reach, &last);
  }
  if (overflow || (empty ? offset > storage.elements : last >= storage.elements)) {
    Fail("a tensor reaches to element " + (overflow ? "2^64" : std::to_string(last)) +
         " of data that have " + std::to_string(storage.elements));
  }
  if (!empty && MayOverlap(tensor)) Fail("a tensor's elements overlap each other");
}

}  // namespace talkface::checkpoint
