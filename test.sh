#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Sets everything up, builds and tests talkface. The last line counts what passed, failed and was
# skipped; the exit status is 0 when nothing failed.
#
#   ./test.sh              everything that proves correctness
#   ./test.sh --quick      the fast tests of the main build: under a minute after the build
#   ./test.sh --sanitize   address and undefined-behaviour sanitizers over all that runs without libtorch
#   ./test.sh --sanitize thread   the thread sanitizer over the same; no part of ./test.sh
#   ./test.sh NAME...      these tests of the main build (meson's names; * and ? match)
#
# A test is a program or a step; cases that were skipped within one are counted and named too.
# ACCEPT=1 ./test.sh NAME rewrites the golden files of a test. TALKFACE_TEST_DATA=FOLDER (its whole
# path) tests what is in it, arranged as in tests/data, in addition.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

mode=all
case "${1:-}" in
  -h | --help) sed -n '3,14s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
  --quick) mode=quick; shift ;;
  --sanitize)
    case "${2:-}" in
      "" | address,undefined) mode=sanitize ;;
      thread) mode=race ;;
      *) echo "test: unknown sanitizer '$2'; see ./test.sh --help" >&2; exit 2 ;;
    esac ;;
  --*) echo "test: unknown option '$1'; see ./test.sh --help" >&2; exit 2 ;;
  ?*) mode=named ;;
esac

passed=0 failed=0 skipped=0
fixed_addresses=()  # a command that runs another without randomised addresses

# Counts one step that is not a meson test: step NAME COMMAND... Its output is shown if it fails.
step() {
  local name=$1 log start=$SECONDS
  shift
  log=$(mktemp)
  if "$@" >"$log" 2>&1; then
    echo "ok    $name ($((SECONDS - start)) s)"
    passed=$((passed + 1))
  else
    cat "$log"
    echo "FAIL  $name ($((SECONDS - start)) s)"
    failed=$((failed + 1))
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# Runs meson's tests of a build folder and counts them: tests FOLDER [MESON TEST OPTIONS...]
tests() {
  local folder=$1 start=$SECONDS log=$1/meson-logs/testlog.json counts p f s
  shift
  rm -f "$log"
  "${fixed_addresses[@]}" meson test -C "$folder" --no-rebuild --print-errorlogs -q "$@" || true
  counts=$(python3 scripts/count_tests.py "$log") || counts="0 1 0"
  read -r p f s <<<"$counts"
  echo "ran   $folder: $p passed, $f failed, $s skipped ($((SECONDS - start)) s)"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# Builds with sanitizers all that runs without libtorch, and runs it: sanitize SANITIZERS FOLDER
# The plugin is instrumented and the scanner is not, so the scan happens in the process itself.
sanitize() {
  CXX=clang++ step "build with sanitizers: $1" scripts/build.sh "$2" -Dtorch=none -Doptimization=1 \
    -Ddebug=false -Dcpp_args=-gline-tables-only -Db_sanitize="$1" -Db_lundef=false || return 0
  GST_REGISTRY_FORK=no ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
    UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 tests "$2"
}

# ThreadSanitizer's map of the memory may not fit where a kernel has put things at random.
sanitize_threads() {
  ! setarch -R true 2>/dev/null || fixed_addresses=(setarch -R)
  sanitize thread build-tsan
}

finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ]
  exit
}

scripts/setup.sh --tests
case "$mode" in
  sanitize) sanitize address,undefined build-sanitize; finish ;;
  race) sanitize_threads; finish ;;
esac

step "gcc build" scripts/build.sh build || finish
case "$mode" in
  quick) tests build --no-suite slow; finish ;;
  named) tests build "$@"; finish ;;
esac
step "format and spelling" scripts/check_style.sh || true
step "clang-tidy on what changed" scripts/tidy.sh || true
tests build
# clang: here what needs libtorch, without its tests; below all the rest, with the sanitizers.
CXX=clang++ step "clang build of the engine alone" scripts/build.sh build-engine \
  -Dgstreamer=disabled -Dopencv=disabled -Dtests=false -Doptimization=0 || true
sanitize address,undefined build-sanitize
finish
