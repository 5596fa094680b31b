#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks the format of C++ files and the spelling of all texts, as ./test.sh and the pre-commit hook do:
#
#   scripts/check_style.sh [--fix] [FILE...]      without files: all of the repository
#
# --fix formats the C++ files instead; spelling is yours to mend. Words that are right and yet found
# are listed in .codespellrc.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=(--dry-run --Werror)
[ "${1:-}" != --fix ] || { mode=(-i); shift; }

# Debian 12 and 13 have different versions, which format differently: the one of .venv is the same everywhere.
formatter=.venv/bin/clang-format
[ -x "$formatter" ] ||
  { echo "check_style: $formatter is missing; scripts/setup.sh installs it" >&2; exit 1; }
command -v codespell >/dev/null ||
  { echo "check_style: codespell is missing; scripts/setup.sh installs it" >&2; exit 1; }

files=("$@")
if [ $# = 0 ]; then
  mapfile -d '' files < <(scripts/list_files.sh)
fi
sources=() texts=()
for file in "${files[@]}"; do
  [ -f "$file" ] || continue
  case "$file" in *.cpp | *.h | *.cu) sources+=("$file") ;; esac
  ! grep -qI . "$file" || texts+=("$file")
done
result=0
[ "${#sources[@]}" = 0 ] || "$formatter" "${mode[@]}" "${sources[@]}" || result=1
[ "${#texts[@]}" = 0 ] || codespell "${texts[@]}" || result=1
exit $result
