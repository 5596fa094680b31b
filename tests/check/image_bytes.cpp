// SPDX-License-Identifier: MIT
#include "tests/check/image_bytes.h"

namespace talkface::test {
namespace {

std::string Big(uint32_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

std::string Little(uint32_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

uint32_t Crc32(const std::string& bytes) {
  uint32_t crc = 0xffffffffu;
  for (const char byte : bytes) {
    crc ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
  }
  return ~crc;
}

uint32_t Adler32(const std::string& bytes) {
  uint32_t a = 1, b = 0;
  for (const char byte : bytes) {
    a = (a + static_cast<uint8_t>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  return (b << 16) | a;
}

std::string Chunk(const std::string& name, const std::string& data) {
  return Big(static_cast<uint32_t>(data.size()), 4) + name + data + Big(Crc32(name + data), 4);
}

// zlib's format with one stored (uncompressed) block: below 64 kB.
std::string Stored(const std::string& data) {
  const auto length = static_cast<uint32_t>(data.size());
  return std::string("\x78\x01\x01", 3) + Little(length, 2) + Little(~length & 0xffff, 2) + data +
         Big(Adler32(data), 4);
}

}  // namespace

std::string MakePng(uint32_t width, uint32_t height, int bits, PngKind kind,
                    const std::vector<std::string>& rows) {
  std::string header = Big(width, 4) + Big(height, 4);
  header += static_cast<char>(bits);
  header += static_cast<char>(kind);
  header += std::string(3, '\0');
  std::string data;
  for (const std::string& row : rows) data += '\0' + row;
  std::string png = "\x89PNG\r\n\x1a\n" + Chunk("IHDR", header);
  if (kind == PngKind::kPalette) png += Chunk("PLTE", std::string("\xff\0\0\0\0\xff", 6));
  return png + Chunk("IDAT", Stored(data)) + Chunk("IEND", "");
}

std::string WithOrientation(const std::string& jpeg, int orientation) {
  const std::string tiff = std::string("MM\0\x2a", 4) + Big(8, 4) + Big(1, 2) + Big(0x0112, 2) +
                           Big(3, 2) + Big(1, 4) + Big(static_cast<uint32_t>(orientation), 2) +
                           Big(0, 2) + Big(0, 4);
  const std::string exif = std::string("Exif\0\0", 6) + tiff;
  return jpeg.substr(0, 2) + "\xff\xe1" + Big(static_cast<uint32_t>(exif.size() + 2), 2) + exif +
         jpeg.substr(2);
}

std::string JpegHead(uint32_t width, uint32_t height) {
  std::string frame = "\x08" + Big(height, 2) + Big(width, 2) + "\x03";
  for (const char component : {'\x01', '\x02', '\x03'})
    frame += std::string(1, component) + std::string("\x11\0", 2);
  std::string table = std::string(1, '\0') + std::string(64, '\x01');
  return std::string("\xff\xd8\xff\xdb") + Big(static_cast<uint32_t>(table.size() + 2), 2) + table +
         "\xff\xc0" + Big(static_cast<uint32_t>(frame.size() + 2), 2) + frame +
         std::string("\xff\xda\0\x0c\x03\x01\0\x02\0\x03\0\0\x3f\0", 14);
}

std::string BmpHead(uint32_t width, uint32_t height) {
  return "BM" + Little(54, 4) + Little(0, 4) + Little(54, 4) + Little(40, 4) + Little(width, 4) +
         Little(height, 4) + Little(1, 2) + Little(24, 2) + std::string(24, '\0');
}

}  // namespace talkface::test
