#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Lists the repository's files, a null character after each: those that git tracks, or, in a source
# archive, all that is there but for what .gitignore names (its patterns are plain ones).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ -e .git ]; then
  git ls-files -z
  exit
fi
ignored=()
while read -r pattern; do
  case "$pattern" in
    "" | "#"*) ;;
    /*) ignored+=(-o -path ".${pattern%/}") ;;
    *) ignored+=(-o -name "${pattern%/}") ;;
  esac
done <.gitignore
find . -mindepth 1 \( "${ignored[@]:1}" \) -prune -o -type f -printf '%P\0' | sort -z
