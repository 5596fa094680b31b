#!/bin/sh
# SPDX-License-Identifier: MIT
# registry_test.sh PLUGIN: with that plugin alone and a cold registry its elements are found, and
# nothing large is loaded to find them.
set -eu
plugin=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export GST_REGISTRY=$folder/registry GST_PLUGIN_SYSTEM_PATH_1_0= GST_DEBUG=
GST_PLUGIN_PATH_1_0=$(dirname "$plugin")
export GST_PLUGIN_PATH_1_0
fail() { echo "$1" >&2; exit 1; }

# The engine is not there, and must not be missed.
unset TALKFACE_ENGINE TALKFACE_MODEL_PATH
export G_DEBUG=fatal-criticals
for round in cold warm; do
  for element in talkfacegen talkfacegenbin; do
    LD_DEBUG=files LD_DEBUG_OUTPUT=$folder/loaded gst-inspect-1.0 "$element" >"$folder/text" ||
      fail "$round registry: gst-inspect-1.0 $element failed"
    grep -q 'Factory Details' "$folder/text" || fail "$round registry: no $element"
  done
done
grep -q libgsttalkface "$folder"/loaded* || fail "what is loaded could not be seen"
grep -hE 'file=.*(libtorch|libc10|libtalkface-engine)' "$folder"/loaded* &&
  fail "the libraries above were loaded for a look at the plugin"
[ "$(gst-inspect-1.0 -b | grep -c 'Blacklisted files')" = 1 ] || fail "no list of blacklisted files"
gst-inspect-1.0 -b | grep -q talkface && fail "the plugin is blacklisted"
readelf -d "$plugin" | grep NEEDED | grep -E 'torch|c10|talkface' &&
  fail "the plugin links the libraries above"
exit 0
