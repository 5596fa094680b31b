// SPDX-License-Identifier: MIT
// What can be known of an image file without decoding it.
#pragma once

#include <gdk-pixbuf/gdk-pixbuf.h>

#include <cstdint>
#include <vector>

namespace talkface {

struct ImageHeader {
  int width = 0, height = 0;
  bool too_large = false;
};

// Has the loader fill in `header` as soon as it knows the size, and give up before it allocates or
// decodes anything where that is larger than image_file.h allows. `header` must outlive it.
void WatchHeader(GdkPixbufLoader* loader, ImageHeader* header);

// Whether a JPEG, PNG or WebP stops before its end: gdk-pixbuf takes such a file for whole, and
// leaves the rest as it was.
bool EndsEarly(const std::vector<uint8_t>& bytes);

}  // namespace talkface
