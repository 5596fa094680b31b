#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Lists the repository's files, a null character after each: those that git tracks, or, in a source
# archive, all that is there but for what set-up, builds and runs leave behind (.gitignore).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ -e .git ]; then
  git ls-files -z
else
  find . -mindepth 1 \( -path ./.venv -o -path ./out -o -path './build*' -o -name __pycache__ \) -prune -o \
    -type f ! -name '*.pyc' -printf '%P\0' | sort -z
fi
