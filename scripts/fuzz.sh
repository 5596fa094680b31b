#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the fuzz targets (tests/fuzz) one after the other, with address and undefined-behaviour
# sanitizers:
#
#   scripts/fuzz.sh [TARGET...] [--minutes N]     all targets, 10 minutes each
#
# Needs clang (CXX names another than clang++). What was learnt stays in build-fuzz/corpus, what was
# found goes to build-fuzz/findings. The exit status is 1 where anything was found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

minutes=10 targets=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n '3,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    --minutes) minutes=${2:-}; shift $(($# > 1)) ;;
    -*) echo "fuzz: unknown option '$1'; see scripts/fuzz.sh --help" >&2; exit 2 ;;
    *) targets+=("$1") ;;
  esac
  shift
done
if ! [[ $minutes =~ ^[1-9][0-9]*$ ]]; then
  echo "fuzz: --minutes is '$minutes', wanted a whole number from 1 on" >&2
  exit 2
fi
for target in "${targets[@]}"; do
  if [ ! -d "tests/fuzz/corpus/$target" ]; then
    echo "fuzz: no target '$target'; there are: $(ls tests/fuzz/corpus | tr '\n' ' ')" >&2
    exit 2
  fi
done
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(ls tests/fuzz/corpus)

build_log=$(mktemp)
trap 'rm -f "$build_log"' EXIT
CXX=${CXX:-clang++} scripts/build.sh --target fuzz build-fuzz -Dfuzz=true -Dtorch=none -Dopencv=disabled \
  -Ddocs=false -Doptimization=1 -Ddebug=false -Dcpp_args=-gline-tables-only \
  -Db_sanitize=address,undefined -Db_lundef=false >"$build_log" 2>&1 ||
  { tail -40 "$build_log"; echo "fuzz: the build failed" >&2; exit 1; }

# A few kB of input may take no more than these. Leaks are looked for by the tests of the elements.
limits=(-max_len=16384 -rss_limit_mb=2048 -malloc_limit_mb=512 -timeout=10 -detect_leaks=0)

# The last number after a word of libFuzzer's log, 0 without: number LOG PATTERN
number() { grep -oE "$2 *[0-9]+" "$1" | tail -1 | grep -oE '[0-9]+$' || echo 0; }

found=0
for target in "${targets[@]}"; do
  learnt=build-fuzz/corpus/$target findings=build-fuzz/findings/$target log=build-fuzz/$target.log
  mkdir -p "$learnt" "$findings"
  status=ok
  UBSAN_OPTIONS=print_stacktrace=1 "build-fuzz/tests/fuzz/fuzz_$target" "${limits[@]}" \
    -max_total_time=$((minutes * 60)) -print_final_stats=1 -artifact_prefix="$findings/" \
    "$learnt" "tests/fuzz/corpus/$target" >"$log" 2>&1 || status=FOUND
  echo "$status  $target: $(number "$log" number_of_executed_units:) executions," \
    "$(number "$log" cov:) edges covered, $(number "$log" peak_rss_mb:) MB at most"
  if [ "$status" != ok ]; then
    found=1
    grep -m 3 -E 'ERROR|runtime error|SUMMARY|broken:' "$log" || tail -5 "$log"
    echo "      see $log and $findings"
  fi
done
exit $found
