#!/bin/sh
# SPDX-License-Identifier: MIT
# few_plugins.sh FROM TO: links to the GStreamer plugins that the check tests use.
set -eu
mkdir -p "$2"
for name in app audioconvert audiomixer audioresample audiotestsrc coreelements coretracers interleave level \
  playback typefindfunctions videoconvertscale videorate videotestsrc volume wavenc wavparse; do
  [ ! -e "$1/libgst$name.so" ] || ln -sf "$1/libgst$name.so" "$2/"
done
