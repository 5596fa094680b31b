// SPDX-License-Identifier: MIT
// Reads a portrait from a file, whatever the file is.
#pragma once

#include <glib.h>

#include <cstdint>
#include <vector>

namespace talkface {

constexpr uint32_t kMaxImageSide = 16384;
constexpr uint64_t kMaxImagePixels = uint64_t{64} << 20;
constexpr int64_t kMaxImageBytes = int64_t{512} << 20;

struct RgbaImage {
  std::vector<uint8_t> data;  // 8-bit RGBA, straight alpha, rows without padding
  uint32_t width = 0, height = 0;
};

// Reads an image of any format that gdk-pixbuf knows here (JPEG incl. CMYK, PNG, WebP, TIFF, ...):
// the first picture of an animation, turned as its EXIF orientation says, alpha kept, colour
// profiles ignored (the values are taken as sRGB). The size is checked before anything is decoded.
// On failure `out` is untouched and `error` is GST_RESOURCE_ERROR NOT_FOUND (no such file),
// OPEN_READ (a folder, no permission, not a regular file) or READ (empty, too large, damaged, no
// image), with a sentence that names the file, the reason and what to do. From any thread.
bool ReadImageFile(const char* path, RgbaImage* out, GError** error);

}  // namespace talkface
