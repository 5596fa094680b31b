#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Tries the Debian packages as a user would, on a bare system of its own (root; scripts/bare_system.sh):
#
#   scripts/check_package.sh SUITE [TALKFACE TALKFACE-TORCH]    default: makes those of this machine's own suite
#
# apt installs talkface with what it depends on, and all that it brings is run: the tool's commands with
# each kind of file, element and the README's pipeline; then talkface-torch, and its trainer; then both
# are removed and must leave nothing. lintian reads them too, where it is installed.
# The last line is "check_package: passed" and the exit status 0 when all of that works.
set -euo pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
portrait=$repo/tests/data/portraits/01_astronaut_collins.png
speech=$repo/tests/data/speech/en_jfk_11s_16k.wav
fail() { echo "check_package: FAILED: $*" >&2; exit 1; }
say() { echo "check_package: $*"; }

# Below: on the bare system, as root in /root/check.

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 "$@" >apt.log 2>&1 ||
    { cat apt.log >&2; fail "apt-get $* failed"; }
}

render() {
  say "talkface render, $1"
  talkface render --image portrait.png --audio speech.wav --output "$1" | tee render.log
  grep -q ' frames, ' render.log
}

# Without what the package recommends: WebM is made, and the way to MP4 is told.
check_bare_install() {
  say "apt-get install --no-install-recommends"
  apt_get update
  dpkg-query -W -f '${Package}\n' | sort >before
  apt_get install --no-install-recommends ./talkface.deb
  render bare.webm
  if talkface render --image portrait.png --audio speech.wav --output bare.mp4 2>error; then
    fail "MP4 was made without x264enc"
  fi
  grep -q "apt install gstreamer1.0-plugins-ugly" error || fail "the error names no package: $(cat error)"
  [ ! -e bare.mp4 ] || fail "a failed render leaves a file"
}

# Without libtorch a model that needs it is refused with one line that names what brings it.
check_without_torch() {
  say "a model on libtorch, without talkface-torch"
  mkdir -p packs/painted
  cat >packs/painted/manifest.json <<'MANIFEST'
{"schema": 1, "name": "painted", "family": "mftfg", "version": "1", "licence": "MIT", "timing": {"sample_rate_hz": 16000,
 "hop_samples": 160, "look_behind_ms": 0, "look_ahead_min_ms": 0, "look_ahead_default_ms": 200, "look_ahead_max_ms": 400}}
MANIFEST
  if talkface render -i portrait.png -a speech.wav -o painted.webm -m packs/painted 2>error; then
    fail "a model on libtorch ran without it"
  fi
  grep -q "install the package talkface-torch" error || fail "the error names no package: $(cat error)"
  [ -z "$(find / -xdev -name 'libtorch*' -print -quit)" ] || fail "there is a libtorch"
}

install_recommended() {
  local recommended
  recommended=$(dpkg-query -W -f '${Recommends}' talkface)
  say "apt-get install ${recommended//,/}"
  # shellcheck disable=SC2086
  apt_get install --no-install-recommends ${recommended//,/} man-db
}

check_tools() {
  render rendered.mp4
  render rendered.mkv
  render rendered.webm
  for command in models devices; do say "talkface $command"; talkface "$command"; done
  grep -q '^auwarp .* /usr/share/talkface/packs/auwarp$' <<<"$(talkface models)" || fail "no pack auwarp"
  say "talkface inspect-image"
  talkface inspect-image portrait.png --output marked.png
  [ -s marked.png ] || fail "inspect-image wrote nothing"
  say "talkface prepare"
  talkface prepare rendered.mp4 --speaker anybody --output clips
}

check_torch() {
  say "apt-get install talkface-torch; talkface-train"
  apt_get install --no-install-recommends ./talkface-torch.deb
  talkface-train --help >/dev/null
  talkface-train remeasure --data clips
  talkface-train speech --data clips --output trained --iterations 1 --members 1 --batch 2 --steps 50 --channels 8 --hidden 8
  talkface-train export --model trained --output trained.pt
  [ -s trained.pt ] || fail "export wrote nothing"
}

check_element() {
  say "gst-inspect-1.0, the README's pipeline"
  for element in talkfacegen talkfacegenbin; do
    grep -q 'Filename.* /.*lib/.*/libgsttalkface.so' <<<"$(gst-inspect-1.0 "$element")" || fail "no $element"
  done
  cp portrait.png portrait.jpg  # the reader goes by content
  sed -n '/^gst-launch-1.0/,/^```/p' README.md | sed '/^```/d' >launch.sh
  bash -e launch.sh >launch.log 2>&1 || { cat launch.log >&2; fail "the README's pipeline failed"; }
}

check_manual() {
  say "manual pages"
  for page in "$@"; do
    [ -f "/usr/share/man/man${page##*.}/$page.gz" ] || fail "no manual page $page"
    warnings=$(man --warnings -l "/usr/share/man/man${page##*.}/$page.gz" 2>&1 >/dev/null)
    [ -z "$warnings" ] || fail "$page: $warnings"
  done
}

check_removal() {
  say "apt-get purge"
  dpkg -L talkface talkface-torch | grep talkface >brought
  apt_get purge talkface talkface-torch
  while read -r path; do [ ! -e "$path" ] || fail "left behind: $path"; done <brought
  [ -z "$(find / -xdev -path /root -prune -o -name '*talkface*' -print -quit)" ] ||
    fail "left behind: $(find / -xdev -path /root -prune -o -name '*talkface*' -print)"
  hash -r  # bash remembers where it was
  ! command -v talkface >/dev/null || fail "talkface is still there"
}

check_here() {
  cd /root/check
  check_bare_install
  check_without_torch
  install_recommended
  check_manual talkface.1 talkfacegen.7
  check_tools
  check_element
  check_torch
  check_manual talkface-train.1
  check_removal
}

# Below: on this machine.

# Frames as ffprobe counts them in each video that was made.
check_videos() {
  local folder=$1 wanted video frames
  wanted=$(ffprobe -v error -show_entries format=duration -of csv=p=0 "$speech")
  wanted=$(python3 -c 'import math, sys; print(math.ceil(float(sys.argv[1]) * 25))' "$wanted")
  for video in bare.webm rendered.mp4 rendered.mkv rendered.webm talking.mp4; do
    frames=$(ffprobe -v error -count_frames -select_streams v -show_entries stream=nb_read_frames -of csv=p=0 "$folder/$video")
    [ "${frames%,}" = "$wanted" ] || fail "$video has ${frames%,} frames, not $wanted"
  done
  say "each of 5 videos has $wanted frames"
}

# docs/development.md says why these errors are meant.
check_lintian() {
  command -v lintian >/dev/null || { say "lintian is left out: apt-get install lintian"; return; }
  say "lintian"
  lintian --fail-on error \
    --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog,malformed-deb-archive "$@" ||
    fail "lintian finds errors in $*"
}

main() {
  local suite=${1:?usage: scripts/check_package.sh SUITE [TALKFACE TALKFACE-TORCH]} packages=("${@:2}")
  # shellcheck disable=SC1091
  . /etc/os-release
  if [ "${#packages[@]}" = 0 ]; then
    [ "$suite" = "${VERSION_CODENAME:-}" ] || fail "name the packages that were made on $suite"
    mapfile -t packages < <("$repo/scripts/make_deb.sh" | tail -n 2)
  fi
  [ "${#packages[@]}" = 2 ] || fail "name two packages, talkface and talkface-torch"
  check_lintian "${packages[@]}"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  "$repo/scripts/bare_system.sh" make "$suite" "$work/system"
  mkdir "$work/system/root/check"
  cp "${packages[0]}" "$work/system/root/check/talkface.deb"
  cp "${packages[1]}" "$work/system/root/check/talkface-torch.deb"
  cp "$portrait" "$work/system/root/check/portrait.png"
  cp "$speech" "$work/system/root/check/speech.wav"
  cp "$repo/README.md" "${BASH_SOURCE[0]}" "$work/system/root/check/"
  "$repo/scripts/bare_system.sh" run "$work/system" bash /root/check/check_package.sh --here
  check_videos "$work/system/root/check"
  say "passed"
}

if [ "${1:-}" = --here ]; then check_here; else main "$@"; fi
