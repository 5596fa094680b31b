// SPDX-License-Identifier: MIT
#include "models/training/checkpoint/zip_writer.h"

#include <zlib.h>

#include <streambuf>

#include "models/core/error.h"
#include "models/training/checkpoint/zip_format.h"

namespace talkface::checkpoint {
namespace {

constexpr uint64_t kAlignment = 64;
constexpr uint64_t kZip64LocalBytes = 20;
constexpr uint16_t kVersion = 45, kUtf8Names = 0x0800;
constexpr uint16_t kPaddingExtra = 0x4246;  // "FB", as PyTorch names it
constexpr uint16_t kDate = 0x21;            // 1 January 1980

// A record's little-endian fields in their order.
class Record {
 public:
  Record& U16(uint64_t value) { return Add(value, 2); }
  Record& U32(uint64_t value) { return Add(value, 4); }
  Record& U64(uint64_t value) { return Add(value, 8); }
  Record& Text(const std::string& text) {
    bytes_ += text;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  Record& Add(uint64_t value, int count) {
    for (int i = 0; i < count; ++i) bytes_ += static_cast<char>(value >> (8 * i));
    return *this;
  }
  std::string bytes_;
};

void Write(std::ostream& out, const Record& record) {
  out.write(record.bytes().data(), static_cast<std::streamsize>(record.bytes().size()));
}

// Hands on what is written, counting it and summing it up.
class ChecksumBuffer : public std::streambuf {
 public:
  explicit ChecksumBuffer(std::ostream* out) : out_(*out) {}
  uint64_t bytes() const { return bytes_; }
  uint32_t crc32() const { return static_cast<uint32_t>(crc_); }

 protected:
  std::streamsize xsputn(const char* data, std::streamsize count) override {
    crc_ = crc32_z(crc_, reinterpret_cast<const Bytef*>(data), static_cast<size_t>(count));
    bytes_ += static_cast<uint64_t>(count);
    out_.write(data, count);
    return out_ ? count : 0;
  }
  int_type overflow(int_type character) override {
    const char byte = traits_type::to_char_type(character);
    return xsputn(&byte, 1) == 1 ? character : traits_type::eof();
  }

 private:
  std::ostream& out_;
  uint64_t bytes_ = 0;
  uLong crc_ = 0;
};

uint64_t Low32(uint64_t value) { return value >= kIn64 ? kIn64 : value; }

}  // namespace

void ZipWriter::Add(const std::string& name, const std::string& data) {
  Add(name, data.size(), [&data](std::ostream& out) {
    out.write(data.data(), static_cast<std::streamsize>(data.size()));
  });
}

void ZipWriter::Add(const std::string& name, uint64_t size,
                    const std::function<void(std::ostream&)>& write) {
  Entry entry{name, size, at_, 0};
  const uint64_t header = kLocalBytes + name.size() + (size >= kIn64 ? kZip64LocalBytes : 0);
  // Padding is an extra field, which takes four bytes at least.
  const uint64_t data_at = (at_ + header + 4 + kAlignment - 1) / kAlignment * kAlignment;
  WriteLocalHeader(entry, data_at);
  ChecksumBuffer buffer(&out_);
  std::ostream checked(&buffer);
  write(checked);
  if (out_ && buffer.bytes() != size) {
    throw Error(Code::kFailed, name + ": " + std::to_string(buffer.bytes()) +
                                   " bytes were written, wanted " + std::to_string(size) + ".");
  }
  entry.crc32 = buffer.crc32();
  out_.seekp(static_cast<std::streamoff>(entry.local));  // the checksum is known only now
  WriteLocalHeader(entry, data_at);
  at_ = data_at + size;
  out_.seekp(static_cast<std::streamoff>(at_));
  entries_.push_back(std::move(entry));
}

void ZipWriter::WriteLocalHeader(const Entry& entry, uint64_t data_at) {
  const bool wide = entry.size >= kIn64;
  const uint64_t extra = data_at - entry.local - kLocalBytes - entry.name.size();
  const uint64_t padding = extra - (wide ? kZip64LocalBytes : 0) - 4;
  Record record;
  record.U32(kLocalSignature)
      .U16(kVersion)
      .U16(kUtf8Names)
      .U16(0)
      .U16(0)
      .U16(kDate)
      .U32(entry.crc32);
  record.U32(Low32(entry.size)).U32(Low32(entry.size)).U16(entry.name.size()).U16(extra);
  record.Text(entry.name);
  if (wide) record.U16(kZip64Extra).U16(16).U64(entry.size).U64(entry.size);
  record.U16(kPaddingExtra).U16(padding).Text(std::string(padding, 'Z'));
  Write(out_, record);
}

void ZipWriter::Finish() {
  const uint64_t directory = at_;
  for (const Entry& entry : entries_) {
    const bool wide = entry.size >= kIn64 || entry.local >= kIn64;
    Record record;
    record.U32(kCentralSignature)
        .U16(kVersion)
        .U16(kVersion)
        .U16(kUtf8Names)
        .U16(0)
        .U16(0)
        .U16(kDate);
    record.U32(entry.crc32).U32(wide ? kIn64 : entry.size).U32(wide ? kIn64 : entry.size);
    record.U16(entry.name.size()).U16(wide ? 28 : 0).U16(0).U16(0).U16(0).U32(0);
    record.U32(wide ? kIn64 : entry.local).Text(entry.name);
    if (wide) record.U16(kZip64Extra).U16(24).U64(entry.size).U64(entry.size).U64(entry.local);
    Write(out_, record);
    at_ += record.bytes().size();
  }
  const uint64_t count = entries_.size(), bytes = at_ - directory;
  if (count >= kIn64Short || at_ >= kIn64) {
    Record wide;
    wide.U32(kEnd64Signature)
        .U64(44)
        .U16(kVersion)
        .U16(kVersion)
        .U32(0)
        .U32(0)
        .U64(count)
        .U64(count);
    wide.U64(bytes).U64(directory);
    wide.U32(kEnd64LocatorSignature).U32(0).U64(at_).U32(1);
    Write(out_, wide);
  }
  const uint64_t count16 = count >= kIn64Short ? kIn64Short : count;
  Record end;
  end.U32(kEndSignature).U16(0).U16(0).U16(count16).U16(count16).U32(Low32(bytes));
  end.U32(Low32(directory)).U16(0);
  Write(out_, end);
}

}  // namespace talkface::checkpoint
