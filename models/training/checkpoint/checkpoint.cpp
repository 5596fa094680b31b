// SPDX-License-Identifier: MIT
#include "models/training/checkpoint/checkpoint.h"

#include "models/core/error.h"
#include "models/training/checkpoint/starts_with.h"

namespace talkface::checkpoint {
namespace {

using Kind = Value::Kind;

constexpr size_t kMaxPickleBytes = 64 << 20;
constexpr std::string_view kPickle = "data.pkl";

// The folder that all entries lie in: that of data.pkl, which is in no folder below it.
std::string TopFolder(const std::map<std::string, ZipEntry>& entries) {
  for (const auto& [name, entry] : entries) {
    const size_t slash = name.find('/');
    if (slash != std::string::npos && name.substr(slash + 1) == kPickle)
      return name.substr(0, slash + 1);
  }
  return "";
}

}  // namespace

void Checkpoint::Fail(const std::string& what) const {
  throw Error(Code::kBadPack, path_ + ": " + what + ".");
}

// Says what a file is that cannot be read.
void Checkpoint::CheckKind() const {
  if (StartsWith(file_.bytes(), "PK")) return;
  if (StartsWith(file_.bytes(), "\x80\x02")) {
    Fail(
        "saved in the format before PyTorch 1.6: load it with a current PyTorch that you trust it "
        "to, and torch.save() it again");
  }
  Fail("not a file of torch.save (no zip container)");
}

const ZipEntry& Checkpoint::Entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) Fail(name + " is missing");
  if (!HasRightChecksum(found->second)) Fail(name + " is damaged: its checksum differs");
  return found->second;
}

std::shared_ptr<const Checkpoint> Checkpoint::Open(const std::string& path) {
  std::shared_ptr<Checkpoint> opened(new Checkpoint(path));
  if (opened->file_.bytes().empty()) opened->Fail("empty, or not a file that can be mapped");
  opened->CheckKind();
  opened->entries_ = ReadZip(path, opened->file_.bytes());
  const std::string folder = TopFolder(opened->entries_);
  if (folder.empty()) opened->Fail("data.pkl is missing: not a file of torch.save");
  if (opened->entries_.count(folder + "constants.pkl") != 0)
    opened->Fail("a TorchScript program, not a checkpoint");
  if (opened->entries_.count(folder + "byteorder") != 0) {
    const std::string_view order = opened->Entry(folder + "byteorder").data;
    if (order != "little") {
      opened->Fail("its byte order is '" + std::string(order.substr(0, 20)) +
                   "', wanted 'little': save it again on a little-endian machine");
    }
  }
  const std::string name = folder + std::string(kPickle);
  const std::string_view pickle = opened->Entry(name).data;
  if (pickle.size() > kMaxPickleBytes)
    opened->Fail(name + " has " + std::to_string(pickle.size()) +
                 " bytes, at most 64 MiB are read");
  TorchObjects objects(path, folder, opened->entries_);
  opened->root_ = RunPickle(path + ": " + name, pickle, &objects, &opened->heap_);
  opened->tensors_ = objects.TakeTensors();
  return opened;
}

std::string Checkpoint::Describe(const Value& value) const {
  switch (value.kind) {
    case Kind::kNone:
      return "None";
    case Kind::kBool:
    case Kind::kInt:
      return "a number";
    case Kind::kText:
    case Kind::kBytes:
      return "a text";
    case Kind::kTuple:
    case Kind::kList:
      return "a list";
    case Kind::kDict:
      return "a dict";
    case Kind::kStorage:
      return "a storage";
    case Kind::kTensor:
      return "a tensor";
    case Kind::kGlobal:
    case Kind::kUnknown:
      return std::string(value.text);
  }
  return "";
}

const Value* Checkpoint::FindDict(const std::string& key) const {
  const Value& root = heap_[root_];
  if (root.kind != Kind::kDict) return nullptr;
  if (key.empty()) return &root;
  const Value* found = nullptr;
  for (size_t i = 0; i + 1 < root.items.size(); i += 2) {
    const Value &name = heap_[root.items[i]], &value = heap_[root.items[i + 1]];
    if (name.kind == Kind::kText && name.text == key && value.kind == Kind::kDict) found = &value;
  }
  return found;
}

bool Checkpoint::HasDict(const std::string& key) const { return FindDict(key) != nullptr; }

StateDict Checkpoint::Tensors(const std::string& key) const {
  const Value* dict = FindDict(key);
  if (dict == nullptr) {
    Fail("it holds no dict of tensors" + (key.empty() ? "" : " under " + key) + " but " +
         Describe(heap_[root_]));
  }
  StateDict state;
  for (size_t i = 0; i + 1 < dict->items.size(); i += 2) {
    const Value &name = heap_[dict->items[i]], &value = heap_[dict->items[i + 1]];
    if (name.kind != Kind::kText) continue;
    const std::string text(name.text);
    state.tensors.erase(text);  // a key that comes again replaces what was there, as in Python
    state.others.erase(text);
    if (value.kind == Kind::kTensor) {
      state.tensors[text] = &tensors_[static_cast<size_t>(value.number)];
    } else {
      state.others[text] = Describe(value);
    }
  }
  return state;
}

void Checkpoint::CheckData(const StoredTensor& tensor) const {
  if (!checked_.insert(tensor.entry).second) return;
  if (HasRightChecksum(*tensor.entry)) return;
  for (const auto& [name, entry] : entries_) {
    if (&entry == tensor.entry)
      Fail(name + " is damaged: its checksum differs (or the file was saved without checksums)");
  }
}

}  // namespace talkface::checkpoint
