// SPDX-License-Identifier: MIT
#include "gst/image_header.h"

#include <cstring>

#include "gst/image_file.h"

namespace talkface {
namespace {

using Bytes = std::vector<uint8_t>;

void OnSize(GdkPixbufLoader* loader, int width, int height, gpointer user) {
  auto* header = static_cast<ImageHeader*>(user);
  header->width = width;
  header->height = height;
  constexpr int kSide = static_cast<int>(kMaxImageSide);
  header->too_large = width > kSide || height > kSide ||
                      uint64_t(width) * static_cast<uint64_t>(height) > kMaxImagePixels;
  // An image of no size: the loader gives up before it allocates or decodes anything.
  if (header->too_large) gdk_pixbuf_loader_set_size(loader, 0, 0);
}

bool StartsWith(const Bytes& bytes, const char* magic, size_t length) {
  return bytes.size() >= length && std::memcmp(bytes.data(), magic, length) == 0;
}

uint32_t BigEndian(const Bytes& bytes, size_t at) {
  return uint32_t{bytes[at]} << 24 | uint32_t{bytes[at + 1]} << 16 | uint32_t{bytes[at + 2]} << 8 |
         bytes[at + 3];
}

// Walks the markers, since a thumbnail inside has an end marker of its own.
bool JpegHasEnd(const Bytes& bytes) {
  size_t at = 2;
  while (at + 1 < bytes.size()) {
    const uint8_t marker = bytes[at + 1];
    const bool restart = marker >= 0xd0 && marker <= 0xd7;
    if (bytes[at] != 0xff || marker == 0x00 || marker == 0x01 || marker == 0xff || restart) {
      ++at;  // coded data, or fill bytes
    } else if (marker == 0xd9) {
      return true;
    } else if (at + 3 < bytes.size()) {
      at += size_t{2} + (size_t{bytes[at + 2]} << 8) + bytes[at + 3];
    } else {
      return false;
    }
  }
  return false;
}

bool PngHasEnd(const Bytes& bytes) {
  constexpr size_t kFrame = 12;  // length, name and checksum
  size_t at = 8;
  while (at + kFrame <= bytes.size()) {
    if (std::memcmp(&bytes[at + 4], "IEND", 4) == 0) return true;
    at += kFrame + BigEndian(bytes, at);
  }
  return false;
}

bool WebpHasEnd(const Bytes& bytes) {
  if (bytes.size() < 8) return false;
  const uint64_t length = uint64_t{bytes[4]} | uint64_t{bytes[5]} << 8 | uint64_t{bytes[6]} << 16 |
                          uint64_t{bytes[7]} << 24;
  return bytes.size() >= length + 8;
}

}  // namespace

void WatchHeader(GdkPixbufLoader* loader, ImageHeader* header) {
  g_signal_connect(loader, "size-prepared", G_CALLBACK(OnSize), header);
}

bool EndsEarly(const Bytes& bytes) {
  if (StartsWith(bytes, "\xff\xd8\xff", 3)) return !JpegHasEnd(bytes);
  if (StartsWith(bytes, "\x89PNG\r\n\x1a\n", 8)) return !PngHasEnd(bytes);
  if (StartsWith(bytes, "RIFF", 4)) return !WebpHasEnd(bytes);
  return false;
}

}  // namespace talkface
