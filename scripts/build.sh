#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Configures (where needed) and builds a folder: scripts/build.sh FOLDER [MESON OPTIONS...]
# Options count when the folder is first made, or when they have changed since.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=${1:?usage: scripts/build.sh FOLDER [MESON OPTIONS...]}
shift
# A libtorch that came or changed in .venv after the folder was made must be found.
wanted="$* CXX=${CXX:-} $(cat .venv/talkface-setup 2>/dev/null || true)"
if [ ! -f "$folder/build.ninja" ]; then
  meson setup "$folder" "$@"
elif [ "$(cat "$folder/.talkface-options" 2>/dev/null)" != "$wanted" ]; then
  meson setup --wipe "$folder" "$@"
fi
echo "$wanted" >"$folder/.talkface-options"
ninja -C "$folder"
