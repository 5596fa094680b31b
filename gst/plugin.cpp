// SPDX-License-Identifier: MIT
// The plugin's entry point: registers the elements, and does nothing else.
#include <gst/gst.h>

#include "elements/talkfacegen.h"
#include "elements/talkfacegenbin.h"

#define PACKAGE "talkface"

static gboolean plugin_init(GstPlugin* plugin) {
  const gboolean generator = GST_ELEMENT_REGISTER(talkfacegen, plugin);
  const gboolean bin = GST_ELEMENT_REGISTER(talkfacegenbin, plugin);
  return generator && bin;
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, talkface,
                  "Talking-face video from speech and a portrait", plugin_init, TALKFACE_VERSION,
                  "MIT/X11", "talkface", "talkface")
