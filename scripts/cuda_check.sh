#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds what tests and measures the engine's CUDA part, and runs it on this machine's CUDA device:
#
#   scripts/cuda_check.sh [--build-only] [FOLDER]      (default: build-cuda)
#
# Wants libtorch with CUDA (.venv of scripts/setup.sh --full, TORCH=PATH, or python3's own torch), nvcc
# 13.0, g++, meson, ninja and the headers of nlohmann-json, stb, CLI11, gtest, OpenSSL and zlib; neither
# GStreamer nor OpenCV. Programs that FOLDER has already are run without a build, so that a machine
# without those headers can be given a FOLDER with the few files that --build-only names, built
# elsewhere. Exits with 77 where there is no CUDA device.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build_only=no
if [ "${1:-}" = --build-only ]; then
  build_only=yes
  shift
fi
folder=$(realpath -m "${1:-build-cuda}")
programs=(tests/units/mftfg_device_test tests/units/mftfg_cuda_test tests/bench/mftfg-cuda models/libtalkface-cuda.so)

torch_of() {
  "$1" -c 'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")' \
    2>/dev/null || true
}
torch=${TORCH:-$(torch_of .venv/bin/python)}
[ -n "$torch" ] || torch=$(torch_of python3)
[ -f "$torch/lib/libtorch_cuda.so" ] ||
  { echo "cuda_check: no libtorch with CUDA; run scripts/setup.sh --full, or give its folder in TORCH" >&2; exit 2; }

missing=no
for program in "${programs[@]}"; do
  [ -e "$folder/$program" ] || missing=yes
done
if [ "$missing" = yes ] || [ "$build_only" = yes ]; then
  [ -f "$folder/build.ninja" ] || meson setup "$folder" -Dgstreamer=disabled -Dopencv=disabled -Ddocs=false \
    -Dtorch="$torch" -Dcuda=enabled
  ninja -C "$folder" "${programs[@]}"
fi
if [ "$build_only" = yes ]; then
  printf 'cuda_check: built %s\n' "${programs[@]/#/$folder/}"
  exit 0
fi

export LD_LIBRARY_PATH=$torch/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export TALKFACE_CUDA=$folder/models/libtalkface-cuda.so
export TALKFACE_MODEL_PATH=$PWD/tests/packs
status=0
for program in tests/units/mftfg_device_test tests/units/mftfg_cuda_test tests/bench/mftfg-cuda; do
  threads=$(nproc)
  [[ $program = tests/bench/* ]] || threads=1  # on small models others would only wait
  code=0
  OMP_NUM_THREADS=$threads "$folder/$program" || code=$?
  [ "$code" != 77 ] || exit 77
  [ "$code" = 0 ] || status=1
done
exit "$status"
