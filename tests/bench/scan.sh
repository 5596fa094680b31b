#!/bin/sh
# SPDX-License-Identifier: MIT
# scan.sh PLUGIN: how long gst-inspect-1.0 takes with that plugin alone, with a cold registry and
# with a warm one; the best of five.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export GST_REGISTRY=$folder/registry GST_PLUGIN_SYSTEM_PATH_1_0=
GST_PLUGIN_PATH_1_0=$(dirname "$1")
export GST_PLUGIN_PATH_1_0
milliseconds() {
  start=$(date +%s%N)
  gst-inspect-1.0 talkfacegen >/dev/null
  echo $((($(date +%s%N) - start) / 1000000))
}
best_of_five() {
  best=1000000
  for _ in 1 2 3 4 5; do
    [ "$1" = warm ] || rm -f "$GST_REGISTRY"
    took=$(milliseconds)
    [ "$took" -lt "$best" ] && best=$took
  done
  echo "$1 registry: $best ms"
}
best_of_five cold
best_of_five warm
