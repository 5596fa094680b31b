#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a stranger does, on a bare system: clones this branch into an empty folder, runs demo.sh, then test.sh with warnings as
# errors. Needs root and debootstrap.
#
#   scripts/check_on.sh SUITE [COMMAND]     SUITE: bookworm, trixie; COMMAND instead of both, in the clone
#   scripts/check_on.sh arm64 [COMMAND]     builds for 64-bit Arm and runs the quick tests: scripts/check_arm64.sh
#
# Without COMMAND the system is made anew and removed at the end when all went well; it stays where
# something failed, and with COMMAND: TALKFACE_SYSTEMS (default ~/.cache/talkface-systems)/check-SUITE.
set -euo pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bare=$repo/scripts/bare_system.sh

case "${1:-}" in
  "" | -h | --help) sed -n '3,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; [ $# != 0 ]; exit ;;
esac
[ "$1" != arm64 ] || exec "$repo/scripts/check_arm64.sh" "${@:2}"
suite=$1
command=${2:-}
system=${TALKFACE_SYSTEMS:-$HOME/.cache/talkface-systems}/check-$suite

if [ -z "$command" ] || [ ! -d "$system" ]; then
  rm -rf "$system"
  "$bare" make "$suite" "$system"
  "$bare" run "$system" apt-get -qq update
fi
clone=$system/root/talkface
if [ ! -d "$clone" ]; then
  git clone -q --no-hardlinks "$repo" "$clone"
else
  git -C "$clone" fetch -q
  git -C "$clone" reset -q --hard '@{upstream}'
fi

in_clone() { "$bare" run "$system" env TALKFACE_WERROR=1 bash -c "cd talkface && $1"; }
if [ -n "$command" ]; then
  in_clone "$command"
  exit
fi
in_clone ./demo.sh
[ -s "$clone/out/talking.mp4" ] || { echo "check_on: demo.sh left no video in $clone/out" >&2; exit 1; }
in_clone ./test.sh
rm -rf "$system"
