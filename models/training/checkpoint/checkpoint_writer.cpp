// SPDX-License-Identifier: MIT
#include "models/training/checkpoint/checkpoint_writer.h"

#include <cstring>
#include <vector>

#include "models/core/error.h"
#include "models/core/part_file.h"
#include "models/training/checkpoint/zip_writer.h"

namespace talkface::checkpoint {
namespace {

constexpr const char* kFolder = "archive/";  // torch.save's own name where it knows no better

const char* StorageName(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "FloatStorage";
    case DType::kF16:
      return "HalfStorage";
    case DType::kBF16:
      return "BFloat16Storage";
    case DType::kF64:
      return "DoubleStorage";
    case DType::kI64:
      return "LongStorage";
    case DType::kI32:
      return "IntStorage";
    case DType::kI16:
      return "ShortStorage";
    case DType::kU8:
      return "ByteStorage";
  }
  throw Error(Code::kFailed, "unknown tensor type");
}

// Pickle protocol 2, as torch.save writes it but for the memo, which only saves bytes.
class Pickler {
 public:
  Pickler() { bytes_ = "\x80\x02"; }
  Pickler& Raw(const std::string& opcodes) {
    bytes_ += opcodes;
    return *this;
  }
  Pickler& Text(const std::string& text) {
    bytes_ += 'X';
    Little(text.size(), 4);
    bytes_ += text;
    return *this;
  }
  Pickler& Global(const std::string& module, const std::string& name) {
    bytes_ += "c" + module + "\n" + name + "\n";
    return *this;
  }
  Pickler& Integer(uint64_t number) {  // LONG1, below 2^63
    bytes_ += "\x8a\x08";
    Little(number, 8);
    return *this;
  }
  Pickler& Integers(const std::vector<int64_t>& numbers) {
    bytes_ += '(';
    for (int64_t number : numbers) Integer(static_cast<uint64_t>(number));
    bytes_ += 't';
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void Little(uint64_t value, int count) {
    for (int i = 0; i < count; ++i) bytes_ += static_cast<char>(value >> (8 * i));
  }
  std::string bytes_;
};

std::vector<int64_t> ContiguousStrides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

// torch._utils._rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())
void PickleTensor(const TensorSource& tensor, size_t number, Pickler* pickler) {
  pickler->Global("torch._utils", "_rebuild_tensor_v2").Raw("((").Text("storage");
  pickler->Global("torch", StorageName(tensor.dtype)).Text(std::to_string(number)).Text("cpu");
  pickler->Integer(tensor.bytes() / DTypeSize(tensor.dtype)).Raw("tQ").Integer(0);
  pickler->Integers(tensor.shape).Integers(ContiguousStrides(tensor.shape)).Raw("\x89");
  pickler->Global("collections", "OrderedDict").Raw(")RtR");
}

std::string PickleState(const std::map<std::string, TensorSource>& tensors,
                        const std::string& key) {
  Pickler pickler;
  if (!key.empty()) pickler.Raw("}").Text(key);
  pickler.Raw("}");
  size_t number = 0;
  for (const auto& [name, tensor] : tensors) {
    pickler.Text(name);
    PickleTensor(tensor, number++, &pickler);
    pickler.Raw("s");
  }
  if (!key.empty()) pickler.Raw("s");
  return pickler.Raw(".").bytes();
}

}  // namespace

void WriteCheckpoint(const std::string& path, const std::map<std::string, TensorSource>& tensors,
                     const std::string& key) {
  PartFile file(path);
  ZipWriter zip(&file.out());
  const std::string folder = kFolder;
  zip.Add(folder + "data.pkl", PickleState(tensors, key));
  zip.Add(folder + ".format_version", "1");
  zip.Add(folder + ".storage_alignment", "64");
  zip.Add(folder + "byteorder", "little");
  size_t number = 0;
  for (const auto& [name, tensor] : tensors) {
    const TensorSource& source = tensor;
    if (!file.out()) break;  // Commit says so
    zip.Add(folder + "data/" + std::to_string(number++), tensor.bytes(),
            [&source](std::ostream& out) { source.WriteTo(out); });
  }
  zip.Add(folder + "version", "3\n");
  // Tells files apart that are loaded together; ours are told apart by their paths.
  zip.Add(folder + ".data/serialization_id", std::string(40, '0'));
  zip.Finish();
  file.Commit();
}

}  // namespace talkface::checkpoint
