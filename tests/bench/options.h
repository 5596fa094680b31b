// SPDX-License-Identifier: MIT
// The command line of the programs that measure.
#pragma once

#include <gst/gst.h>

#include <cstdlib>

namespace talkface::bench {

// Fills what `entries` point to; GStreamer's own options are understood too. Ends the program with
// a line of help or of what is wrong.
inline void ParseOptions(const GOptionEntry* entries, int* argc, char*** argv) {
  GOptionContext* context = g_option_context_new(nullptr);
  g_option_context_add_main_entries(context, entries, nullptr);
  g_option_context_add_group(context, gst_init_get_option_group());
  GError* error = nullptr;
  if (!g_option_context_parse(context, argc, argv, &error)) {
    g_printerr("%s: %s\n", g_get_prgname(), error->message);
    std::exit(2);
  }
  g_option_context_free(context);
}

}  // namespace talkface::bench
