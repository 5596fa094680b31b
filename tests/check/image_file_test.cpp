// SPDX-License-Identifier: MIT
// gst/image_file.h: every kind of image, and every kind of file that is none.
#include "gst/image_file.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <gst/check/gstcheck.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "tests/check/image_bytes.h"
#include "tests/check/support.h"

using namespace talkface;
using namespace talkface::test;

namespace {

RgbaImage ReadWell(const std::string& path) {
  RgbaImage image;
  GError* error = nullptr;
  const bool ok = ReadImageFile(path.c_str(), &image, &error);
  fail_unless(ok, "%s", error != nullptr ? error->message : "no reason given");
  fail_unless(error == nullptr);
  fail_unless_equals_uint64(image.data.size(), uint64_t{4} * image.width * image.height);
  return image;
}

void AssertPixel(const RgbaImage& image, uint32_t x, uint32_t y, const int (&wanted)[4],
                 int tolerance = 0) {
  const uint8_t* pixel = &image.data[size_t{4} * (y * image.width + x)];
  for (int c = 0; c < 4; ++c) {
    fail_unless(std::abs(pixel[c] - wanted[c]) <= tolerance,
                "pixel %u,%u channel %d is %d, wanted %d", x, y, c, pixel[c], wanted[c]);
  }
}

// The file is refused with that code, and the sentence names the file and holds `reason`.
void AssertRefused(const std::string& path, GstResourceError code, const char* reason) {
  RgbaImage image;
  image.width = 77;
  GError* error = nullptr;
  fail_if(ReadImageFile(path.c_str(), &image, &error), "%s was read", path.c_str());
  fail_unless(error != nullptr);
  fail_unless(g_error_matches(error, GST_RESOURCE_ERROR, code), "%s: code %d, wanted %d",
              error->message, error->code, code);
  fail_unless(strstr(error->message, path.c_str()) != nullptr, "no path in: %s", error->message);
  fail_unless(strstr(error->message, reason) != nullptr, "no '%s' in: %s", reason, error->message);
  fail_unless(image.width == 77 && image.data.empty());
  g_error_free(error);
}

// A JPEG of that size, red in its left upper quarter, grey elsewhere.
std::string MakeJpeg(int width, int height, const char* quality) {
  GdkPixbuf* pixbuf = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, width, height);
  gdk_pixbuf_fill(pixbuf, 0x808080ff);
  GdkPixbuf* corner = gdk_pixbuf_new_subpixbuf(pixbuf, 0, 0, width / 2, height / 2);
  gdk_pixbuf_fill(corner, 0xff0000ff);
  char* bytes = nullptr;
  gsize size = 0;
  fail_unless(gdk_pixbuf_save_to_buffer(pixbuf, &bytes, &size, "jpeg", nullptr, "quality", quality,
                                        nullptr));
  std::string jpeg(bytes, size);
  g_free(bytes);
  g_object_unref(corner);
  g_object_unref(pixbuf);
  return jpeg;
}

}  // namespace

GST_START_TEST(reads_rgba_with_alpha) {
  TempFolder folder;
  const std::string path = folder.path("a.png");
  WriteFile(path, MakePng(2, 2, 8, PngKind::kRgba,
                          {std::string("\x01\x02\x03\x04\x05\x06\x07\x08", 8),
                           std::string("\x09\x0a\x0b\0\xff\xfe\xfd\xfc", 8)}));
  const RgbaImage image = ReadWell(path);
  fail_unless(image.width == 2 && image.height == 2);
  AssertPixel(image, 0, 0, {1, 2, 3, 4});
  AssertPixel(image, 1, 0, {5, 6, 7, 8});
  AssertPixel(image, 0, 1, {9, 10, 11, 0});
  AssertPixel(image, 1, 1, {255, 254, 253, 252});
}
GST_END_TEST

GST_START_TEST(reads_every_kind_of_png) {
  TempFolder folder;
  const std::string path = folder.path("kind.png");
  WriteFile(path, MakePng(3, 1, 8, PngKind::kGrey, {std::string("\0\x80\xff", 3)}));
  RgbaImage image = ReadWell(path);
  AssertPixel(image, 0, 0, {0, 0, 0, 255});
  AssertPixel(image, 1, 0, {128, 128, 128, 255});
  AssertPixel(image, 2, 0, {255, 255, 255, 255});

  WriteFile(path, MakePng(1, 1, 8, PngKind::kGreyAlpha, {"\x40\x20"}));
  AssertPixel(ReadWell(path), 0, 0, {64, 64, 64, 32});

  WriteFile(path, MakePng(2, 1, 8, PngKind::kPalette, {std::string("\x01\0", 2)}));
  image = ReadWell(path);
  AssertPixel(image, 0, 0, {0, 0, 255, 255});
  AssertPixel(image, 1, 0, {255, 0, 0, 255});

  WriteFile(path, MakePng(1, 1, 16, PngKind::kRgb, {std::string("\x10\0\x80\0\xf0\0", 6)}));
  AssertPixel(ReadWell(path), 0, 0, {16, 128, 240, 255}, 1);
}
GST_END_TEST

GST_START_TEST(reads_webp) {
  bool known = false;
  GSList* formats = gdk_pixbuf_get_formats();
  for (GSList* item = formats; item != nullptr; item = item->next) {
    char* name = gdk_pixbuf_format_get_name(static_cast<GdkPixbufFormat*>(item->data));
    known = known || strcmp(name, "webp") == 0;
    g_free(name);
  }
  g_slist_free(formats);
  if (!known) {
    g_print("skipped: no WebP loader for gdk-pixbuf here\n");
    return;
  }
  gsize size = 0;
  guchar* bytes = g_base64_decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==", &size);
  TempFolder folder;
  WriteFile(folder.path("a.webp"), std::string(reinterpret_cast<char*>(bytes), size));
  g_free(bytes);
  const RgbaImage image = ReadWell(folder.path("a.webp"));
  fail_unless(image.width == 1 && image.height == 1);
}
GST_END_TEST

GST_START_TEST(turns_as_exif_says) {
  // Where the stored picture's left upper quarter is seen: column, row.
  constexpr uint32_t kSeen[9][2] = {{0, 0}, {0, 0}, {1, 0}, {1, 1}, {0, 1},
                                    {0, 0}, {1, 0}, {1, 1}, {0, 1}};
  TempFolder folder;
  const std::string jpeg = MakeJpeg(64, 32, "95");
  for (int orientation = 1; orientation <= 8; ++orientation) {
    WriteFile(folder.path("turned.jpg"), WithOrientation(jpeg, orientation));
    const RgbaImage image = ReadWell(folder.path("turned.jpg"));
    const bool upright = orientation >= 5;
    fail_unless_equals_int(image.width, upright ? 32 : 64);
    fail_unless_equals_int(image.height, upright ? 64 : 32);
    for (uint32_t column = 0; column < 2; ++column) {
      for (uint32_t row = 0; row < 2; ++row) {
        const uint32_t x = (2 * column + 1) * image.width / 4, y = (2 * row + 1) * image.height / 4;
        const bool red = column == kSeen[orientation][0] && row == kSeen[orientation][1];
        if (red) {
          AssertPixel(image, x, y, {255, 0, 0, 255}, 6);
        } else {
          AssertPixel(image, x, y, {128, 128, 128, 255}, 6);
        }
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(refuses_what_is_no_image) {
  TempFolder folder;
  AssertRefused(folder.path("missing.png"), GST_RESOURCE_ERROR_NOT_FOUND, "no such file");
  AssertRefused(folder.path(), GST_RESOURCE_ERROR_OPEN_READ, "folder");
  WriteFile(folder.path("empty.png"), "");
  AssertRefused(folder.path("empty.png"), GST_RESOURCE_ERROR_READ, "empty");
  AssertRefused(folder.path("empty.png/x.png"), GST_RESOURCE_ERROR_NOT_FOUND, "no such file");
  WriteFile(folder.path("text.jpg"), "Dear reader, this is no picture.\n");
  AssertRefused(folder.path("text.jpg"), GST_RESOURCE_ERROR_READ, "JPEG, PNG or WebP");
  WriteFile(folder.path("nul.png"), std::string(1 << 20, '\0'));
  AssertRefused(folder.path("nul.png"), GST_RESOURCE_ERROR_READ, "JPEG, PNG or WebP");
  AssertRefused("", GST_RESOURCE_ERROR_NOT_FOUND, "no such file");
  AssertRefused("/dev/zero", GST_RESOURCE_ERROR_OPEN_READ, "not a regular file");
}
GST_END_TEST

GST_START_TEST(refuses_a_pipe_without_waiting) {
  TempFolder folder;
  fail_unless(mkfifo(folder.path("pipe.png").c_str(), 0600) == 0);
  AssertRefused(folder.path("pipe.png"), GST_RESOURCE_ERROR_OPEN_READ, "not a regular file");
}
GST_END_TEST

GST_START_TEST(refuses_without_permission) {
  TempFolder folder;
  const std::string path = WritePortrait(folder.path("secret.png"), 4, 4);
  fail_unless(chmod(path.c_str(), 0000) == 0);
  fail_unless(chmod(folder.path().c_str(), 0755) == 0);
  const bool root = geteuid() == 0;
  if (root) fail_unless(seteuid(65534) == 0);  // root may read anything
  AssertRefused(path, GST_RESOURCE_ERROR_OPEN_READ, "permission");
  if (root) fail_unless(seteuid(0) == 0);
}
GST_END_TEST

GST_START_TEST(refuses_a_huge_image_before_decoding) {
  TempFolder folder;
  WriteFile(folder.path("huge.png"), MakePng(20000, 20000, 8, PngKind::kRgba, {"abcd"}));
  WriteFile(folder.path("huge.jpg"), JpegHead(20000, 20000));
  WriteFile(folder.path("huge.bmp"), BmpHead(20000, 20000));
  WriteFile(folder.path("long.png"), MakePng(2, 16385, 8, PngKind::kRgba, {"abcd"}));
  WriteFile(folder.path("wide.png"), MakePng(16385, 2, 8, PngKind::kRgba, {"abcd"}));
  WriteFile(folder.path("area.png"), MakePng(8193, 8192, 8, PngKind::kRgba, {"abcd"}));
  WriteFile(folder.path("top.png"), MakePng(0x7fffffff, 0x7fffffff, 8, PngKind::kRgba, {"abcd"}));
  if (!Sanitized()) {  // whose shadow memory counts
    const rlimit limit = {rlim_t{1} << 30, rlim_t{1} << 30};
    fail_unless(setrlimit(RLIMIT_AS, &limit) == 0);
  }
  for (const char* name : {"huge.png", "huge.jpg", "huge.bmp"})
    AssertRefused(folder.path(name), GST_RESOURCE_ERROR_READ, "20000 x 20000");
  AssertRefused(folder.path("long.png"), GST_RESOURCE_ERROR_READ, "2 x 16385");
  AssertRefused(folder.path("wide.png"), GST_RESOURCE_ERROR_READ, "16385 x 2");
  AssertRefused(folder.path("area.png"), GST_RESOURCE_ERROR_READ, "8193 x 8192");
  AssertRefused(folder.path("top.png"), GST_RESOURCE_ERROR_READ, "top.png");
}
GST_END_TEST

GST_START_TEST(refuses_a_huge_file) {
  TempFolder folder;
  WriteFile(folder.path("big.png"), MakePng(1, 1, 8, PngKind::kGrey, {"a"}));
  fail_unless(truncate(folder.path("big.png").c_str(), kMaxImageBytes + 1) == 0);  // a hole
  AssertRefused(folder.path("big.png"), GST_RESOURCE_ERROR_READ, "512 MB");
}
GST_END_TEST

GST_START_TEST(refuses_truncated_images) {
  TempFolder folder;
  const std::string path = WritePortrait(folder.path("whole.png"), 96, 80);
  const std::string files[] = {ReadFile(path), MakeJpeg(96, 80, "95"),
                               WithOrientation(MakeJpeg(96, 80, "60"), 6)};
  for (const std::string& whole : files) {
    WriteFile(folder.path("whole"), whole);
    ReadWell(folder.path("whole"));
    for (size_t eighth = 1; eighth < 8; ++eighth) {
      const std::string cut = folder.path("cut at " + std::to_string(eighth) + " eighths " +
                                          (whole[1] == 'P' ? ".png" : ".jpg"));
      WriteFile(cut, whole.substr(0, whole.size() * eighth / 8));
      AssertRefused(cut, GST_RESOURCE_ERROR_READ, "ends too early");
    }
  }
}
GST_END_TEST

GST_START_TEST(survives_damaged_images) {
  TempFolder folder;
  WritePortrait(folder.path("whole.png"), 40, 30);
  const std::string files[] = {ReadFile(folder.path("whole.png")), MakeJpeg(40, 30, "90")};
  for (const std::string& whole : files) {
    for (size_t at = 0; at < whole.size(); at += 1 + whole.size() / 150) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x5a);
      WriteFile(folder.path("damaged"), damaged);
      RgbaImage image;
      GError* error = nullptr;
      const bool ok = ReadImageFile(folder.path("damaged").c_str(), &image, &error);
      fail_unless(ok == (error == nullptr));
      if (ok) fail_unless(image.data.size() == size_t{4} * image.width * image.height);
      g_clear_error(&error);
    }
  }
}
GST_END_TEST

GST_START_TEST(reads_real_portraits) {
  for (const std::string& path : DataFiles("portraits")) fail_unless(ReadWell(path).width >= 64);
  // The same photograph, stored lying and stored in print colours.
  const RgbaImage lying = ReadWell(DataFile("portraits/obama_exif6.jpg"));
  const RgbaImage print = ReadWell(DataFile("portraits/obama_cmyk.jpg"));
  fail_unless(lying.height > lying.width, "%u x %u", lying.width, lying.height);
  double mean = 0;
  for (size_t i = 0; i < print.data.size(); i += 4) mean += print.data[i];
  mean /= static_cast<double>(print.data.size() / 4);
  fail_unless(mean > 60 && mean < 200, "mean red is %f: the print colours are inverted?", mean);
}
GST_END_TEST

static Suite* image_file_suite() {
  Suite* suite = suite_create("image_file");
  TCase* chain = tcase_create("all");
  suite_add_tcase(suite, chain);
  tcase_add_test(chain, reads_rgba_with_alpha);
  tcase_add_test(chain, reads_every_kind_of_png);
  tcase_add_test(chain, reads_webp);
  tcase_add_test(chain, turns_as_exif_says);
  tcase_add_test(chain, refuses_what_is_no_image);
  tcase_add_test(chain, refuses_a_pipe_without_waiting);
  tcase_add_test(chain, refuses_without_permission);
  tcase_add_test(chain, refuses_a_huge_image_before_decoding);
  tcase_add_test(chain, refuses_a_huge_file);
  tcase_add_test(chain, refuses_truncated_images);
  tcase_add_test(chain, survives_damaged_images);
  tcase_add_test(chain, reads_real_portraits);
  return suite;
}

GST_CHECK_MAIN(image_file)
