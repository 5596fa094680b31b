// SPDX-License-Identifier: MIT
#include "gst/image_header.h"

#include "gst/image_file.h"
#include "tests/fuzz/support.h"

using namespace talkface;

namespace {

// Pictures are not decoded here: that would be a test of the libraries that do.
void Stop(GdkPixbufLoader* loader, int, int, gpointer) { gdk_pixbuf_loader_set_size(loader, 0, 0); }

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  EndsEarly({data, data + size});
  ImageHeader header;
  GdkPixbufLoader* loader = gdk_pixbuf_loader_new();
  WatchHeader(loader, &header);
  g_signal_connect_after(loader, "size-prepared", G_CALLBACK(Stop), nullptr);
  gdk_pixbuf_loader_write(loader, data, size, nullptr);
  gdk_pixbuf_loader_close(loader, nullptr);
  g_object_unref(loader);
  const bool large = header.width > static_cast<int>(kMaxImageSide) ||
                     header.height > static_cast<int>(kMaxImageSide);
  test::Require(!large || header.too_large, "a picture too large is known by its header");
  return 0;
}
