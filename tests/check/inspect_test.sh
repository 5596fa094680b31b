#!/bin/sh
# SPDX-License-Identifier: MIT
# inspect_test.sh ELEMENT GOLDEN: gst-inspect-1.0's text is the element's contract with applications;
# any change of it shows here. ACCEPT=1 writes GOLDEN anew.
set -eu
element=$1 golden=$2
case $(gst-inspect-1.0 --gst-version) in
  *" 1.22."*) ;;
  *) echo "skipped: the golden text is of GStreamer 1.22"; exit 77 ;;
esac
seen=$(mktemp)
trap 'rm -f "$seen"' EXIT
# What depends on the build's place and time is left out.
GST_DEBUG= gst-inspect-1.0 --no-colors "$element" |
  grep -Ev '^  (Filename|Version|Source release date|Binary package|Origin URL) ' |
  sed -E 's/ +$//; s/0x[0-9a-f]+/POINTER/' >"$seen"
[ -s "$seen" ] || { echo "gst-inspect-1.0 knows no $element" >&2; exit 1; }
if [ "${ACCEPT:-}" = 1 ]; then
  mkdir -p "$(dirname "$golden")"
  cp "$seen" "$golden"
  echo "wrote $golden"
elif ! diff -u "$golden" "$seen"; then
  echo "If that is meant: ACCEPT=1 ./test.sh inspect_$element, and commit $golden" >&2
  exit 1
fi
