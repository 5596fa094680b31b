// SPDX-License-Identifier: MIT
#include "pipelines/cli/required_elements.h"

#include <gst/gst.h>

#include <map>
#include <string>

#include "pipelines/cli/command.h"

namespace talkface::cli {
namespace {

bool HaveElement(const char* name) {
  GstElementFactory* factory = gst_element_factory_find(name);
  if (factory == nullptr) return false;
  gst_object_unref(factory);
  return true;
}

// Debian's package of each element that the tool asks for and that is not GStreamer's own core.
const std::map<std::string, std::string>& Packages() {
  static const std::map<std::string, std::string> packages = {
      {"appsink", "gstreamer1.0-plugins-base"},       {"audioconvert", "gstreamer1.0-plugins-base"},
      {"audioresample", "gstreamer1.0-plugins-base"}, {"avenc_aac", "gstreamer1.0-libav"},
      {"matroskamux", "gstreamer1.0-plugins-good"},   {"mp4mux", "gstreamer1.0-plugins-good"},
      {"opusenc", "gstreamer1.0-plugins-base"},       {"uridecodebin", "gstreamer1.0-plugins-base"},
      {"videoconvert", "gstreamer1.0-plugins-base"},  {"vp8enc", "gstreamer1.0-plugins-good"},
      {"webmmux", "gstreamer1.0-plugins-good"},       {"x264enc", "gstreamer1.0-plugins-ugly"},
  };
  return packages;
}

}  // namespace

void RequireElements(std::initializer_list<const char*> elements) {
  for (const char* name : elements) {
    if (HaveElement(name)) continue;
    const std::string missing = std::string("the GStreamer element '") + name + "' is missing";
    const auto package = Packages().find(name);
    if (package == Packages().end())
      throw Error(missing + ": reinstall talkface, or name the folder of its plugin in " +
                  "GST_PLUGIN_PATH");
    throw Error(missing + ": install " + package->second + " (apt install " + package->second +
                ", as Debian and Ubuntu call it)");
  }
}

}  // namespace talkface::cli
