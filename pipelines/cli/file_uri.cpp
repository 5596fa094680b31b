// SPDX-License-Identifier: MIT
#include "pipelines/cli/file_uri.h"

#include <gst/gst.h>

#include "pipelines/cli/command.h"

namespace talkface::cli {

std::string FileUri(const std::string& path) {
  GError* error = nullptr;
  char* uri = gst_filename_to_uri(path.c_str(), &error);
  if (uri == nullptr) {
    const std::string message = error->message;
    g_error_free(error);
    throw Error("cannot read '" + path + "': " + message);
  }
  const std::string text = uri;
  g_free(uri);
  return text;
}

}  // namespace talkface::cli
