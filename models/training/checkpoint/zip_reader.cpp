// SPDX-License-Identifier: MIT
#include "models/training/checkpoint/zip_reader.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "models/core/error.h"
#include "models/training/checkpoint/zip_format.h"

namespace talkface::checkpoint {
namespace {

constexpr size_t kMaxCommentBytes = 0xffff;
constexpr uint64_t kMaxEntries = 200'000;
constexpr uint16_t kEncrypted = 1;  // flag bit

struct Range {
  uint64_t begin, end;
  std::string name;
};

class Reader {
 public:
  Reader(const std::string& path, std::string_view bytes) : path_(path), bytes_(bytes) {}

  std::map<std::string, ZipEntry> Read() {
    FindDirectory();
    uint64_t at = directory_;
    for (uint64_t i = 0; i < count_; ++i) at = ReadEntry(at);
    if (at != directory_ + directory_bytes_) Fail("its directory has another size than it says");
    CheckOverlap();
    return std::move(entries_);
  }

 private:
  [[noreturn]] void Fail(const std::string& what) const {
    throw Error(Code::kBadPack, path_ + ": " + what + ".");
  }

  std::string_view Slice(uint64_t at, uint64_t size, const char* what) const {
    if (at > bytes_.size() || size > bytes_.size() - at) {
      Fail(std::string(what) + " lies outside the file: the file is damaged or cut short");
    }
    return bytes_.substr(at, size);
  }

  template <typename Number>
  static Number At(std::string_view record,
                   size_t offset) {  // records are little-endian, as we are
    Number number;
    std::memcpy(&number, record.data() + offset, sizeof number);
    return number;
  }

  // Where the directory is: in the end record, or in its 64-bit form.
  void FindDirectory() {
    const std::string_view end = FindEnd();
    count_ = At<uint16_t>(end, 10);
    directory_bytes_ = At<uint32_t>(end, 12);
    directory_ = At<uint32_t>(end, 16);
    if (At<uint16_t>(end, 4) != 0 && At<uint16_t>(end, 4) != kIn64Short)
      Fail("one part of a zip of several parts");
    if (count_ == kIn64Short || directory_bytes_ == kIn64 || directory_ == kIn64) {
      const uint64_t end_at = static_cast<uint64_t>(end.data() - bytes_.data());
      if (end_at < kEnd64LocatorBytes) Fail("its zip64 record is missing");
      const std::string_view locator =
          bytes_.substr(end_at - kEnd64LocatorBytes, kEnd64LocatorBytes);
      if (At<uint32_t>(locator, 0) != kEnd64LocatorSignature) Fail("its zip64 record is missing");
      const auto record = Slice(At<uint64_t>(locator, 8), kEnd64Bytes, "its zip64 record");
      if (At<uint32_t>(record, 0) != kEnd64Signature) Fail("its zip64 record is damaged");
      count_ = At<uint64_t>(record, 32);
      directory_bytes_ = At<uint64_t>(record, 40);
      directory_ = At<uint64_t>(record, 48);
    }
    if (count_ > kMaxEntries) {
      Fail("its directory claims " + std::to_string(count_) + " entries, at most " +
           std::to_string(kMaxEntries) + " are read");
    }
    Slice(directory_, directory_bytes_, "its directory");
  }

  // The end record: behind everything but a comment.
  std::string_view FindEnd() const {
    if (bytes_.size() < kEndBytes) Fail("not a zip file");
    const size_t last = bytes_.size() - kEndBytes;
    const size_t first = last > kMaxCommentBytes ? last - kMaxCommentBytes : 0;
    for (size_t at = last + 1; at-- > first;) {
      const std::string_view record = bytes_.substr(at, kEndBytes);
      if (At<uint32_t>(record, 0) == kEndSignature && At<uint16_t>(record, 20) == last - at)
        return record;
    }
    Fail("a zip file without its end: the file is damaged or cut short");
  }

  // Reads the directory's entry at `at`; returns where the next one is.
  uint64_t ReadEntry(uint64_t at) {
    const std::string_view record = Slice(at, kCentralBytes, "its directory");
    if (At<uint32_t>(record, 0) != kCentralSignature) Fail("its directory is damaged");
    const uint16_t name_bytes = At<uint16_t>(record, 28), extra_bytes = At<uint16_t>(record, 30);
    const uint16_t comment_bytes = At<uint16_t>(record, 32);
    const std::string name(Slice(at + kCentralBytes, name_bytes, "its directory"));
    const auto extra = Slice(at + kCentralBytes + name_bytes, extra_bytes, "its directory");
    uint64_t stored = At<uint32_t>(record, 20), size = At<uint32_t>(record, 24);
    uint64_t local = At<uint32_t>(record, 42);
    ReadZip64(name, extra, {&size, &stored, &local});
    if (At<uint16_t>(record, 8) & kEncrypted) Fail(name + " is encrypted");
    if (At<uint16_t>(record, 10) != 0 || stored != size) {
      Fail(name +
           " is compressed, which PyTorch never does: unpack and save it again with PyTorch");
    }
    ZipEntry entry;
    entry.data = LocalData(name, local, size);
    entry.crc32 = At<uint32_t>(record, 16);
    if (!entries_.emplace(name, entry).second) Fail(name + " is there twice");
    return at + kCentralBytes + name_bytes + extra_bytes + comment_bytes;
  }

  // Replaces those of `fields` that do not fit 32 bits, in the order of the extra field.
  void ReadZip64(const std::string& name, std::string_view extra,
                 const std::vector<uint64_t*>& fields) const {
    while (extra.size() >= 4) {
      const uint16_t id = At<uint16_t>(extra, 0), size = At<uint16_t>(extra, 2);
      if (size > extra.size() - 4) Fail(name + " has a damaged directory entry");
      std::string_view body = extra.substr(4, size);
      extra.remove_prefix(4 + size_t{size});
      if (id != kZip64Extra) continue;
      for (uint64_t* field : fields) {
        if (*field != kIn64) continue;
        if (body.size() < 8) Fail(name + " has a damaged zip64 entry");
        *field = At<uint64_t>(body, 0);
        body.remove_prefix(8);
      }
      return;
    }
  }

  std::string_view LocalData(const std::string& name, uint64_t local, uint64_t size) {
    const std::string_view header = Slice(local, kLocalBytes, name.c_str());
    const uint16_t name_bytes = At<uint16_t>(header, 26);
    if (At<uint32_t>(header, 0) != kLocalSignature ||
        Slice(local + kLocalBytes, name_bytes, name.c_str()) != name) {
      Fail(name + " is not where the directory says: the file is damaged");
    }
    const uint64_t begin = local + kLocalBytes + name_bytes + At<uint16_t>(header, 28);
    const std::string_view data = Slice(begin, size, name.c_str());
    if (begin + size > directory_) Fail(name + " reaches into the directory");
    ranges_.push_back({local, begin + size, name});
    return data;
  }

  void CheckOverlap() {
    std::sort(ranges_.begin(), ranges_.end(),
              [](const Range& a, const Range& b) { return a.begin < b.begin; });
    for (size_t i = 1; i < ranges_.size(); ++i) {
      if (ranges_[i].begin < ranges_[i - 1].end)
        Fail(ranges_[i - 1].name + " and " + ranges_[i].name + " share bytes of the file");
    }
  }

  std::string path_;
  std::string_view bytes_;
  uint64_t directory_ = 0, directory_bytes_ = 0, count_ = 0;
  std::map<std::string, ZipEntry> entries_;
  std::vector<Range> ranges_;
};

}  // namespace

std::map<std::string, ZipEntry> ReadZip(const std::string& path, std::string_view bytes) {
  return Reader(path, bytes).Read();
}

bool HasRightChecksum(const ZipEntry& entry) {
  const auto* data = reinterpret_cast<const Bytef*>(entry.data.data());
  return crc32_z(0, data, entry.data.size()) == entry.crc32;
}

}  // namespace talkface::checkpoint
