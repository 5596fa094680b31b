// SPDX-License-Identifier: MIT
// Real portraits for tests that have them (TALKFACE_TEST_DATA).
#pragma once

#include <gdk-pixbuf/gdk-pixbuf.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "models/engine.h"

namespace talkface::testing {

struct Picture {
  std::vector<uint8_t> bytes;
  Pixels pixels{};
};

inline std::string Folder(const char* variable, const char* otherwise = "") {
  const char* value = std::getenv(variable);
  return value ? value : otherwise;
}

inline std::string TestData() { return Folder("TALKFACE_TEST_DATA", TALKFACE_DEFAULT_TEST_DATA); }

// Decodes a file below TALKFACE_TEST_DATA, turned upright, as RGBA; no pixels if there is none.
inline Picture Load(const std::string& name) {
  Picture picture;
  const std::string path = TestData() + "/" + name;
  GdkPixbuf* stored = gdk_pixbuf_new_from_file(path.c_str(), nullptr);
  if (!stored) return picture;
  GdkPixbuf* upright = gdk_pixbuf_apply_embedded_orientation(stored);
  GdkPixbuf* rgba = gdk_pixbuf_add_alpha(upright, FALSE, 0, 0, 0);
  const auto width = static_cast<uint32_t>(gdk_pixbuf_get_width(rgba));
  const auto height = static_cast<uint32_t>(gdk_pixbuf_get_height(rgba));
  picture.bytes.resize(4 * static_cast<size_t>(width) * height);
  for (uint32_t y = 0; y < height; ++y) {
    std::memcpy(
        &picture.bytes[4 * static_cast<size_t>(width) * y],
        gdk_pixbuf_read_pixels(rgba) + static_cast<size_t>(y) * gdk_pixbuf_get_rowstride(rgba),
        4 * static_cast<size_t>(width));
  }
  picture.pixels = {picture.bytes.data(), width, height, 4 * static_cast<size_t>(width)};
  for (GdkPixbuf* buffer : {stored, upright, rgba}) g_object_unref(buffer);
  return picture;
}

}  // namespace talkface::testing
