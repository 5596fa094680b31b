#!/bin/sh
# SPDX-License-Identifier: MIT
# inspect_test.sh ELEMENT GOLDEN: gst-inspect-1.0's text is the element's contract with applications;
# any change of it shows here. ACCEPT=1 writes GOLDEN anew.
set -eu
element=$1 golden=$2
seen=$(mktemp)
trap 'rm -f "$seen"' EXIT
# What depends on the build's place and time is left out, and what GStreamer's versions print differently: empty lines,
# spaces, how a signal is written, and the flags of the base class's force-live.
GST_DEBUG= gst-inspect-1.0 --no-colors "$element" |
  grep -Ev '^  (Filename|Version|Source release date|Binary package|Origin URL) |^Element Flags:|^ *$' |
  sed -E 's/ +$//; s/0x[0-9a-f]+/POINTER/; s/, can be set only at object construction time//
    s/^ {30,}/    /; s/([A-Za-z]) ?\* /\1* /; s/"([a-z-]+)" (:|-> void) .*\((GstElement\* object|element, "\1")\);/"\1"/' >"$seen"
[ -s "$seen" ] || { echo "gst-inspect-1.0 knows no $element" >&2; exit 1; }
if [ "${ACCEPT:-}" = 1 ]; then
  mkdir -p "$(dirname "$golden")"
  cp "$seen" "$golden"
  echo "wrote $golden"
elif ! diff -u "$golden" "$seen"; then
  echo "If that is meant: ACCEPT=1 ./test.sh inspect_$element, and commit $golden" >&2
  exit 1
fi
