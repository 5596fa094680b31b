// SPDX-License-Identifier: MIT
#include "models/core/safetensors.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "models/core/checked_json.h"
#include "models/core/error.h"
#include "models/core/part_file.h"

namespace talkface {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit
constexpr uint64_t kAlignment = 8;
constexpr size_t kMaxDimensions = 64;  // as libtorch

struct DTypeFact {
  DType dtype;
  const char* name;
  uint64_t size;
};
constexpr DTypeFact kDTypes[] = {
    {DType::kF32, "F32", 4}, {DType::kF16, "F16", 2}, {DType::kBF16, "BF16", 2},
    {DType::kF64, "F64", 8}, {DType::kI64, "I64", 8}, {DType::kI32, "I32", 4},
    {DType::kI16, "I16", 2}, {DType::kU8, "U8", 1},
};

const DTypeFact& FactOf(DType dtype) {
  for (const DTypeFact& fact : kDTypes) {
    if (fact.dtype == dtype) return fact;
  }
  throw Error(Code::kFailed, "unknown tensor type");
}

[[noreturn]] void Bad(const std::string& path, const std::string& what) {
  throw Error(Code::kBadPack, path + ": " + what + ".");
}

std::string ShapeName(const std::vector<int64_t>& shape) {
  std::string text;
  for (int64_t size : shape) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text.empty() ? "scalar" : text;
}

// The number of elements, refusing negative sizes and overflow.
bool CheckedCount(const std::vector<int64_t>& shape, uint64_t* count) {
  *count = 1;
  for (int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(*count, static_cast<uint64_t>(size), count))
      return false;
  }
  return true;
}

TensorView ParseTensor(const std::string& path, const JsonField& entry, const uint8_t* data,
                       uint64_t data_bytes) {
  const std::string& name = entry.key();
  TensorView view;
  const std::string type = entry.At("dtype").Text();
  bool known = false;
  for (const DTypeFact& fact : kDTypes) {
    if (type == fact.name) view.dtype = fact.dtype, known = true;
  }
  if (!known) Bad(path, name + " has type " + type + ", which is not supported");
  view.shape = entry.At("shape").Wholes(0, kMaxDimensions, 0, INT64_MAX);
  const std::vector<int64_t> offsets = entry.At("data_offsets").Wholes(2, 2, 0, INT64_MAX);
  uint64_t count = 0;
  if (!CheckedCount(view.shape, &count)) {
    Bad(path, name + " has an impossible shape " + ShapeName(view.shape));
  }
  if (offsets[0] > offsets[1] || static_cast<uint64_t>(offsets[1]) > data_bytes) {
    Bad(path, name + " lies outside the file: the file is damaged or cut short");
  }
  view.bytes = static_cast<uint64_t>(offsets[1] - offsets[0]);
  uint64_t wanted = 0;
  if (__builtin_mul_overflow(count, DTypeSize(view.dtype), &wanted) || wanted != view.bytes) {
    Bad(path, name + " has " + std::to_string(view.bytes) + " bytes, wanted " +
                  std::to_string(wanted) + " for " + ShapeName(view.shape) + " " + type);
  }
  view.data = data + offsets[0];
  if (reinterpret_cast<uintptr_t>(view.data) % DTypeSize(view.dtype) != 0) {
    Bad(path, name + " is not aligned to its type");
  }
  return view;
}

}  // namespace

std::string DTypeName(DType dtype) { return FactOf(dtype).name; }
uint64_t DTypeSize(DType dtype) { return FactOf(dtype).size; }

int64_t TensorView::Count() const {
  uint64_t count = 0;
  CheckedCount(shape, &count);
  return static_cast<int64_t>(count);
}

std::shared_ptr<const SafeTensors> SafeTensors::Open(const std::string& path) {
  std::shared_ptr<SafeTensors> file(new SafeTensors(path));
  const uint64_t size = file->bytes();
  if (size < 8) Bad(path, "not a safetensors file (" + std::to_string(size) + " bytes)");
  const auto* bytes = reinterpret_cast<const uint8_t*>(file->file_.bytes().data());
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes, 8);
  if (header_bytes > kMaxHeaderBytes || header_bytes > size - 8) {
    Bad(path, "its header claims " + std::to_string(header_bytes) + " bytes, the file has " +
                  std::to_string(size));
  }
  const std::string title = path + ": its header";
  const nlohmann::json header =
      ParseJson(title, {reinterpret_cast<const char*>(bytes + 8), header_bytes});
  for (const JsonField& entry : JsonField(title, header).Fields()) {
    if (entry.key() == "__metadata__") {
      for (const JsonField& text : entry.Fields()) file->metadata_[text.key()] = text.Text();
    } else {
      file->tensors_[entry.key()] =
          ParseTensor(path, entry, bytes + 8 + header_bytes, size - 8 - header_bytes);
    }
  }
  return file;
}

const TensorView& SafeTensors::Get(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) Bad(path_, "tensor " + name + " is missing");
  return found->second;
}

const float* SafeTensors::Floats(const std::string& name, const std::vector<int64_t>& shape) const {
  const TensorView& view = Get(name);
  if (view.dtype != DType::kF32)
    Bad(path_, name + " has type " + DTypeName(view.dtype) + ", wanted F32");
  if (view.shape != shape) {
    Bad(path_, name + " has shape " + ShapeName(view.shape) + ", wanted " + ShapeName(shape));
  }
  return static_cast<const float*>(view.data);
}

uint64_t TensorSource::bytes() const {
  uint64_t count = 0, total = 0;
  if (!CheckedCount(shape, &count) || __builtin_mul_overflow(count, DTypeSize(dtype), &total)) {
    throw Error(Code::kInvalid, "A tensor of impossible shape " + ShapeName(shape) + ".");
  }
  return total;
}

void TensorSource::WriteTo(std::ostream& out) const {
  if (produce) {
    produce(out);
  } else {
    out.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes()));
  }
}

void WriteSafeTensors(const std::string& path, const std::map<std::string, TensorSource>& tensors,
                      const std::map<std::string, std::string>& metadata) {
  // Wide types first: all are aligned without gaps, which the format's own library refuses.
  std::vector<std::pair<std::string, const TensorSource*>> ordered;
  for (const auto& [name, tensor] : tensors) ordered.emplace_back(name, &tensor);
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return DTypeSize(a.second->dtype) > DTypeSize(b.second->dtype);
  });
  nlohmann::json header = nlohmann::json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t offset = 0;
  for (const auto& [name, tensor] : ordered) {
    const uint64_t end = offset + tensor->bytes();
    header[name] = {{"dtype", DTypeName(tensor->dtype)},
                    {"shape", tensor->shape},
                    {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  const uint64_t header_bytes = text.size();

  PartFile file(path);
  file.out().write(reinterpret_cast<const char*>(&header_bytes), sizeof header_bytes);
  file.out().write(text.data(), static_cast<std::streamsize>(text.size()));
  for (const auto& [name, tensor] : ordered) {
    if (file.out()) tensor->WriteTo(file.out());
  }
  file.Commit();
}

}  // namespace talkface
