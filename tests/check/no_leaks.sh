#!/bin/sh
# SPDX-License-Identifier: MIT
# no_leaks.sh PROGRAM: runs it under GStreamer's leaks tracer, and fails when an object outlives it.
set -u
log=$(mktemp)
trap 'rm -f "$log"' EXIT
run() {
  GST_TRACERS=leaks GST_DEBUG=GST_TRACER:7 GST_DEBUG_NO_COLOR=1 GST_DEBUG_FILE=$log "$@"
}
run "$1" leak || exit 1
if ! grep -q 'object-alive, type-name=(string)GstBin' "$log"; then
  echo "the tracer does not see an object that was leaked on purpose" >&2
  exit 1
fi
run "$1" || exit 1
if grep 'object-alive, type-name=(string)[A-Za-z]' "$log"; then
  echo "these objects outlived the program" >&2
  exit 1
fi
