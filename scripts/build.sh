#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Configures (where needed) and builds a folder:
#
#   scripts/build.sh [--target TARGET] FOLDER [MESON OPTIONS...]
#
# The folder is made anew when the options differ from those it was made with. The target `runtime`
# is all that a render needs, without tests and trainer. With TALKFACE_WERROR=1, as in CI, warnings are errors.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=all
if [ "${1:-}" = --target ]; then
  target=$2
  shift 2
fi
folder=${1:?usage: scripts/build.sh [--target TARGET] FOLDER [MESON OPTIONS...]}
shift
[ "${TALKFACE_WERROR:-0}" = 0 ] || set -- -Dwerror=true "$@"
wanted="$* CXX=${CXX:-}"
# A libtorch that came to .venv or changed there after the folder was made must be found.
parts=$(cat .venv/talkface-* 2>/dev/null || true)
if [ ! -f "$folder/build.ninja" ]; then
  meson setup "$folder" "$@"
elif [ "$(cat "$folder/.talkface-options" 2>/dev/null)" != "$wanted" ]; then
  meson setup --wipe "$folder" "$@"
elif [ "$(cat "$folder/.talkface-parts" 2>/dev/null)" != "$parts" ]; then
  meson setup --reconfigure "$folder"
fi
echo "$wanted" >"$folder/.talkface-options"
echo "$parts" >"$folder/.talkface-parts"
ninja -C "$folder" "$target"
