// SPDX-License-Identifier: MIT
#pragma once

#include <gst/gst.h>

#include <string>

namespace talkface::cli {

// The file's URI, for uridecodebin. Throws Error.
std::string FileUri(const std::string& path);

// Makes a uridecodebin, before it starts, time what it reads by its streams' own timestamps.
void TimeByStreams(GstElement* uridecodebin);

}  // namespace talkface::cli
