// SPDX-License-Identifier: MIT
#include "gst/image_file.h"

#include <fcntl.h>
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <gst/gst.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#include "gst/image_header.h"

namespace talkface {
namespace {

struct Unref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
using PixbufPtr = std::unique_ptr<GdkPixbuf, Unref>;
using LoaderPtr = std::unique_ptr<GdkPixbufLoader, Unref>;
using Bytes = std::vector<uint8_t>;

// Sets `error` to "Cannot read the image 'PATH': REASON".
void Refuse(GError** error, GstResourceError code, const char* path, const std::string& reason) {
  char* shown = g_filename_display_name(path);
  g_set_error(error, GST_RESOURCE_ERROR, code, "Cannot read the image '%s': %s", shown,
              reason.c_str());
  g_free(shown);
}

std::string MegaBytes(int64_t bytes) { return std::to_string(bytes >> 20) + " MB"; }

// The file, opened and seen to be one that can hold an image; -1 with `error` set otherwise.
int OpenRegularFile(const char* path, int64_t* size, GError** error) {
  // Without waiting: opening a pipe that nobody writes would hang.
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) {
    const int why = errno;
    if (why == ENOENT || why == ENOTDIR) {
      Refuse(error, GST_RESOURCE_ERROR_NOT_FOUND, path, "there is no such file; check the path.");
    } else if (why == EACCES) {
      Refuse(error, GST_RESOURCE_ERROR_OPEN_READ, path,
             "permission denied; make it readable for this user.");
    } else {
      Refuse(error, GST_RESOURCE_ERROR_OPEN_READ, path, std::string(g_strerror(why)) + ".");
    }
    return -1;
  }
  struct stat info;
  std::string reason;
  GstResourceError code = GST_RESOURCE_ERROR_OPEN_READ;
  if (fstat(file, &info) != 0) {
    reason = std::string(g_strerror(errno)) + ".";
  } else if (S_ISDIR(info.st_mode)) {
    reason = "it is a folder; name an image file in it.";
  } else if (!S_ISREG(info.st_mode)) {
    reason = "it is not a regular file; save the image to a file first.";
  } else if (info.st_size == 0) {
    code = GST_RESOURCE_ERROR_READ;
    reason = "the file is empty; choose another, or copy it anew.";
  } else if (info.st_size > kMaxImageBytes) {
    code = GST_RESOURCE_ERROR_READ;
    reason = "the file has " + MegaBytes(info.st_size) + ", more than the " +
             MegaBytes(kMaxImageBytes) + " allowed; choose a smaller image.";
  } else {
    *size = info.st_size;
    return file;
  }
  close(file);
  Refuse(error, code, path, reason);
  return -1;
}

bool ReadBytes(const char* path, std::vector<uint8_t>* bytes, GError** error) {
  int64_t size = 0;
  const int file = OpenRegularFile(path, &size, error);
  if (file < 0) return false;
  bytes->resize(static_cast<size_t>(size));
  size_t done = 0;
  ssize_t got = 1;
  while (done < bytes->size() && got != 0) {
    got = read(file, bytes->data() + done, bytes->size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    done += static_cast<size_t>(got);
  }
  const int why = errno;
  close(file);
  bytes->resize(done);  // the file may have been cut since
  if (got >= 0 && done > 0) return true;
  Refuse(error, GST_RESOURCE_ERROR_READ, path,
         got < 0 ? std::string(g_strerror(why)) + "." : "the file is empty.");
  return false;
}

std::string SizeReason(const ImageHeader& header) {
  return "it is " + std::to_string(header.width) + " x " + std::to_string(header.height) +
         " pixels, more than the " + std::to_string(kMaxImageSide) + " a side or " +
         std::to_string(kMaxImagePixels >> 20) + " million in all allowed; scale it down.";
}

// Feeds the loader, in pieces so that a size too large stops it early. False with `reason` set.
bool Feed(GdkPixbufLoader* loader, const Bytes& bytes, const ImageHeader& header,
          std::string* reason) {
  constexpr size_t kPiece = size_t{1} << 16;
  GError* cause = nullptr;
  bool ok = true;
  for (size_t at = 0; ok && at < bytes.size() && !header.too_large; at += kPiece) {
    const size_t count = std::min(kPiece, bytes.size() - at);
    ok = gdk_pixbuf_loader_write(loader, bytes.data() + at, count, &cause);
  }
  // Closing is due in any case; the first cause is the one to tell.
  if (!gdk_pixbuf_loader_close(loader, ok ? &cause : nullptr)) ok = false;
  if (header.too_large) {
    *reason = SizeReason(header);
    ok = false;
  } else if (EndsEarly(bytes)) {
    *reason = "the file ends too early; copy it anew.";
    ok = false;
  } else if (!ok) {
    *reason = std::string(cause != nullptr ? cause->message : "it cannot be decoded") +
              "; choose an undamaged JPEG, PNG or WebP image.";
  }
  g_clear_error(&cause);
  return ok;
}

PixbufPtr Decode(const Bytes& bytes, std::string* reason) {
  LoaderPtr loader(gdk_pixbuf_loader_new());
  ImageHeader header;
  WatchHeader(loader.get(), &header);
  if (!Feed(loader.get(), bytes, header, reason)) return nullptr;
  GdkPixbuf* decoded = gdk_pixbuf_loader_get_pixbuf(loader.get());  // the loader's
  if (decoded == nullptr) {
    *reason = "it holds no picture; choose a JPEG, PNG or WebP image.";
    return nullptr;
  }
  PixbufPtr turned(gdk_pixbuf_apply_embedded_orientation(decoded));
  if (turned != nullptr && gdk_pixbuf_get_has_alpha(turned.get())) return turned;
  PixbufPtr with_alpha(turned != nullptr ? gdk_pixbuf_add_alpha(turned.get(), FALSE, 0, 0, 0)
                                         : nullptr);
  if (with_alpha == nullptr) *reason = "there is not enough memory for it.";
  return with_alpha;
}

void CopyRows(const GdkPixbuf* pixbuf, RgbaImage* out) {
  RgbaImage image;
  image.width = static_cast<uint32_t>(gdk_pixbuf_get_width(pixbuf));
  image.height = static_cast<uint32_t>(gdk_pixbuf_get_height(pixbuf));
  const size_t row = size_t{4} * image.width;
  const auto stride = static_cast<size_t>(gdk_pixbuf_get_rowstride(pixbuf));
  const uint8_t* pixels = gdk_pixbuf_read_pixels(pixbuf);
  image.data.resize(row * image.height);
  for (uint32_t y = 0; y < image.height; ++y)
    std::memcpy(image.data.data() + y * row, pixels + y * stride, row);
  *out = std::move(image);
}

}  // namespace

bool ReadImageFile(const char* path, RgbaImage* out, GError** error) {
  try {
    std::vector<uint8_t> bytes;
    if (!ReadBytes(path, &bytes, error)) return false;
    std::string reason;
    const PixbufPtr pixbuf = Decode(bytes, &reason);
    if (pixbuf == nullptr) {
      Refuse(error, GST_RESOURCE_ERROR_READ, path, reason);
      return false;
    }
    CopyRows(pixbuf.get(), out);
    return true;
  } catch (const std::bad_alloc&) {
    Refuse(error, GST_RESOURCE_ERROR_READ, path, "there is not enough memory for it.");
    return false;
  }
}

}  // namespace talkface
