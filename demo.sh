#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Sets everything up, builds, and turns a portrait and speech into a talking-face video:
#
#   ./demo.sh [IMAGE [AUDIO [OUTPUT]]]
#
# Without arguments: NASA's portrait of Eileen Collins and a sentence read for LibriVox, both of
# tests/data, into out/talking.mp4.
set -euo pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

case "${1:-}" in
  -h | --help) sed -n '3,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
[ $# -le 3 ] || { echo "usage: ./demo.sh [IMAGE [AUDIO [OUTPUT]]]" >&2; exit 2; }

"$repo/scripts/setup.sh"
build_log=$(mktemp)
trap 'rm -f "$build_log"' EXIT
echo "demo: building (a few minutes the first time)"
"$repo/scripts/build.sh" --target runtime build >"$build_log" 2>&1 || { cat "$build_log" >&2; exit 1; }

image=${1:-$repo/tests/data/portraits/01_astronaut_collins.png}
audio=${2:-$repo/tests/data/speech/en_librivox_austen_0870.wav}
output=${3:-$repo/out/talking.mp4}
mkdir -p "$(dirname "$output")"
"$repo/build/pipelines/cli/talkface" render --image "$image" --audio "$audio" --output "$output"
echo "demo: the video is $output"
