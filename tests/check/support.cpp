// SPDX-License-Identifier: MIT
#include "tests/check/support.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>

#include <filesystem>

#include "tests/test_data.h"

namespace talkface::test {

TempFolder::TempFolder() {
  char* folder = g_dir_make_tmp("talkface-XXXXXX", nullptr);
  g_assert_nonnull(folder);
  folder_ = folder;
  g_free(folder);
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string TempFolder::path(const std::string& name) const {
  return name.empty() ? folder_ : folder_ + "/" + name;
}

void WriteFile(const std::string& path, const std::string& bytes) {
  GError* error = nullptr;
  g_file_set_contents(path.c_str(), bytes.data(), static_cast<gssize>(bytes.size()), &error);
  g_assert_no_error(error);
}

std::string ReadFile(const std::string& path) {
  char* contents = nullptr;
  gsize length = 0;
  GError* error = nullptr;
  g_file_get_contents(path.c_str(), &contents, &length, &error);
  g_assert_no_error(error);
  std::string bytes(contents, length);
  g_free(contents);
  return bytes;
}

std::string WritePng(const std::string& path, const std::vector<uint8_t>& rgba, int width,
                     int height) {
  GdkPixbuf* pixbuf = gdk_pixbuf_new_from_data(rgba.data(), GDK_COLORSPACE_RGB, TRUE, 8, width,
                                               height, 4 * width, nullptr, nullptr);
  GError* error = nullptr;
  gdk_pixbuf_save(pixbuf, path.c_str(), "png", &error, nullptr);
  g_assert_no_error(error);
  g_object_unref(pixbuf);
  return path;
}

std::string WritePortrait(const std::string& path, int width, int height, uint8_t tint) {
  std::vector<uint8_t> pixels;
  pixels.reserve(size_t{4} * static_cast<size_t>(width) * static_cast<size_t>(height));
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const uint8_t pixel[4] = {static_cast<uint8_t>(x * 7 + tint), static_cast<uint8_t>(y * 5),
                                static_cast<uint8_t>(x ^ y), 255};
      pixels.insert(pixels.end(), pixel, pixel + 4);
    }
  }
  return WritePng(path, pixels, width, height);
}

std::string WriteFakePack(const std::string& folder, const std::string& settings) {
  g_mkdir_with_parents(folder.c_str(), 0755);
  WriteFile(folder + "/manifest.json",
            R"({"schema": 1, "name": "fake", "family": "fake", "version": "1", "licence": "MIT",
 "timing": {"sample_rate_hz": 16000, "hop_samples": 320, "look_behind_ms": 0,
            "look_ahead_min_ms": 0, "look_ahead_default_ms": 200, "look_ahead_max_ms": 2000},
 "fake": {)" + settings +
                "}}");
  return folder;
}

std::string DataFile(const std::string& name) { return testing::DataFile(name); }
std::vector<std::string> DataFiles(const std::string& folder) { return testing::DataFiles(folder); }

bool Sanitized() {
#ifdef __SANITIZE_ADDRESS__
  return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return true;
#else
  return false;
#endif
#else
  return false;
#endif
}

}  // namespace talkface::test
