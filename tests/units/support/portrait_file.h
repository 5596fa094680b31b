// SPDX-License-Identifier: MIT
// Real portraits: those of tests/data, and more where TALKFACE_TEST_DATA names some.
#pragma once

#include <gdk-pixbuf/gdk-pixbuf.h>

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/engine.h"
#include "tests/test_data.h"

namespace talkface::testing {

struct Picture {
  std::vector<uint8_t> bytes;
  Pixels pixels{};
};

// Decodes a file, turned upright, as RGBA.
inline Picture LoadPath(const std::string& path) {
  GError* error = nullptr;
  GdkPixbuf* stored = gdk_pixbuf_new_from_file(path.c_str(), &error);
  if (!stored) {
    const std::string reason = error->message;
    g_error_free(error);
    throw std::runtime_error(path + ": " + reason);
  }
  Picture picture;
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

// The same of a file below tests/data.
inline Picture Load(const std::string& name) { return LoadPath(DataFile(name)); }

}  // namespace talkface::testing
