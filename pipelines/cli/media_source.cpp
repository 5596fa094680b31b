// SPDX-License-Identifier: MIT
#include "pipelines/cli/media_source.h"

#include "pipelines/cli/command.h"

namespace talkface::cli {
namespace {

// GStreamer's demuxer of MPEG program streams moves both streams' times by what the file's system
// clock jumps, which in many files (all of the GRID corpus) is some tenths of a second that are in
// neither picture nor sound.
void OnElementAdded(GstBin*, GstBin*, GstElement* element, gpointer) {
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), "ignore-scr") != nullptr)
    g_object_set(element, "ignore-scr", TRUE, nullptr);
}

}  // namespace

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

void TimeByStreams(GstElement* uridecodebin) {
  g_signal_connect(uridecodebin, "deep-element-added", G_CALLBACK(OnElementAdded), nullptr);
}

}  // namespace talkface::cli
