#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs clang-tidy (.clang-tidy) on the C++ files that changed:
#
#   scripts/tidy.sh [BASE]           since the commit BASE. Default: where this branch left origin/main; on that
#                                    branch itself, or without it, the commit before the last one
#   scripts/tidy.sh --all [WORD...]  all files, or those whose path contains a WORD
#
# A changed header is checked with the first source file that includes it. Uncommitted changes count.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The commit to compare with; nothing where there is none (source archive, clone of depth 1).
default_base() {
  local base
  [ -e .git ] || return 0
  base=$(git merge-base HEAD origin/main 2>/dev/null) || base=
  if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD 2>/dev/null)" ]; then
    base=$(git rev-parse --verify --quiet HEAD~1) || base=
  fi
  echo "$base"
}

# Source files that changed since a commit, and one for each changed header.
changed_sources() {
  local file
  git diff --name-only --diff-filter=d "$1" -- '*.cpp' '*.h' | while read -r file; do
    case "$file" in
      *.cpp) echo "$file" ;;
      *) git grep -l -F "#include \"$file\"" -- '*.cpp' | head -1 || true ;;
    esac
  done | sort -u
}

# A unity build's files are not in its compile_commands.json: this folder is configured file by file
# for clang, and never built.
folder=build-tidy
configure() {
  if [ ! -f $folder/build.ninja ]; then
    CXX=clang++ meson setup $folder -Dunity=off >/dev/null
  else
    ninja -C $folder build.ninja >/dev/null
  fi
}

# Of the files named on standard input, those that the build compiles.
compiled() {
  python3 -c '
import json, os, sys
known = {os.path.relpath(os.path.join(e["directory"], e["file"])) for e in json.load(open(sys.argv[1]))}
chosen = sorted(known) if sys.argv[2] == "all" else [f for f in sys.stdin.read().split() if f in known]
print("\n".join(f for f in chosen if not sys.argv[3:] or any(w in f for w in sys.argv[3:])))
' $folder/compile_commands.json "$@"
}

if [ "${1:-}" = --all ]; then
  configure
  mapfile -t files < <(compiled all "${@:2}" </dev/null)
else
  base=${1:-$(default_base)}
  [ -n "$base" ] || { echo "tidy: no earlier commit to compare with; --all checks every file"; exit 0; }
  mapfile -t files < <(changed_sources "$base")
  [ "${#files[@]}" = 0 ] || configure
  [ "${#files[@]}" = 0 ] || mapfile -t files < <(printf '%s\n' "${files[@]}" | compiled changed)
fi
echo "tidy: ${#files[@]} files"
[ "${#files[@]}" = 0 ] || printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy -p $folder --quiet
