#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Which lines and functions the tests reach: builds build-coverage with gcc's counters, runs the tests,
# prints a table by folder and writes the report out/coverage/index.html, which shows the lines.
#
#   scripts/coverage.sh [MESON OPTIONS...]     (-Dtorch=none: quicker, but without all that needs libtorch)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=build-coverage
command -v gcovr >/dev/null ||
  { echo "coverage: gcovr is missing; install Debian's package gcovr, or gcovr from PyPI" >&2; exit 2; }
# Counters are atomic, since threads would lose counts, and gcovr takes a negative one for an error.
scripts/build.sh "$folder" -Db_coverage=true -Doptimization=1 -Dcpp_args=-fprofile-update=atomic "$@"
find "$folder" -name '*.gcda' -delete
meson test -C "$folder" --no-rebuild --print-errorlogs -q ||
  echo "coverage: tests failed; what they did not reach is missing below" >&2
mkdir -p out/coverage
gcovr --root . --object-directory "$folder" -j "$(nproc)" --exclude-throw-branches \
  --filter elements/ --filter gst/ --filter models/ --filter pipelines/ \
  --html-details out/coverage/index.html --json-summary "$folder/coverage.json" >/dev/null
python3 scripts/coverage_table.py "$folder/coverage.json"
echo "out/coverage/index.html shows the lines"
