#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the embedded model costs a process: peak memory with 1 to 16 streams of 512 x 512, and the time from the program's
# start to the first frame. It prints figures and passes always. Wants Debian's package `time`.
#
#   tests/bench/light.sh [BUILD]
set -euo pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(realpath "${1:-$repo/build}")
export GST_PLUGIN_PATH=$build/elements TALKFACE_ENGINE=$build/models/libtalkface-engine.so
export TALKFACE_MODEL_PATH=$build/models/packs:$repo/models/packs
GST_REGISTRY=$(mktemp)
export GST_REGISTRY
trap 'rm -f "$GST_REGISTRY"' EXIT
speech=$repo/tests/data/speech/en_jfk_11s_16k.wav
portrait=$repo/tests/data/portraits/01_astronaut_collins.png
stream=(filesrc "location=$speech" ! wavparse ! talkfacegen "identity-image=$portrait" !
  video/x-raw,format=I420,width=512,height=512 !)

measure() { /usr/bin/time -f "$1" gst-launch-1.0 -q "${@:2}"; }

grep -m 1 'model name' /proc/cpuinfo || true
gst-launch-1.0 -q fakesrc num-buffers=1 ! fakesink  # the registry is made
measure 'GStreamer alone: %M kB' fakesrc num-buffers=1 ! fakesink
for count in 1 2 4 8 16; do
  pipeline=()
  for ((i = 0; i < count; ++i)); do pipeline+=("${stream[@]}" fakesink); done
  measure "$count stream(s): %M kB at most, %e s for 11 s of video each" "${pipeline[@]}"
done
for _ in 1 2 3 4 5; do measure 'first frame: the program took %e s' "${stream[@]}" identity eos-after=2 ! fakesink; done
