#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what talkface needs to be built and run on Debian 12 and 13: Debian packages (as root or
# through sudo) and a Python virtual environment, .venv, that holds MediaPipe's files and, for the
# families that need it, libtorch. Run it as often as you like: what is there already is left alone,
# and then it takes a moment.
#
#   scripts/setup.sh [--torch] [--full] [--tests]
#     (none)    what the embedded model needs (60 MB to download beside Debian's packages)
#     --torch   libtorch, for the family mftfg and for talkface-train: for the CPU (0.6 GB to download; 1.3 GB on
#               disk), and with an NVIDIA driver as --full
#     --full    torch with all of CUDA, and nvcc (3 GB)
#     --tests   what ./test.sh needs: --torch, clang, linters, ffmpeg, and the Python of the judge of videos, .venv-judge
#               (0.1 GB to download; 0.4 GB on disk)
#   scripts/setup.sh --list-packages    prints the Debian packages that the first of these installs, and does nothing
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=(
  # compilers and tools
  g++ meson ninja-build pkg-config python3 python3-venv dpkg-dev
  # GStreamer to build with and to run
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev
  gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
  gstreamer1.0-plugins-ugly gstreamer1.0-libav
  # libraries
  libgdk-pixbuf-2.0-dev webp-pixbuf-loader nlohmann-json3-dev libcli11-dev libstb-dev libhwy-dev
  zlib1g-dev libssl-dev
  # libraries that the tests are linked with: the build folder is the same for all
  libgtest-dev libgmock-dev check
)
test_packages=(
  clang clang-tidy libclang-rt-dev codespell git xz-utils ffmpeg groff-base
  # what resampling and colours are compared with
  libopencv-dev
  # the example in Python
  python3-gi gir1.2-gstreamer-1.0 gir1.2-gst-plugins-base-1.0
)

if [ "$*" = --list-packages ]; then
  echo "${packages[@]}"
  exit
fi

say() { echo "setup: $*"; }
fail() { echo "setup: $*" >&2; exit 1; }

# Runs a command up to five times: networks and apt's locks come and go.
retry() {
  local try
  for try in 1 2 3 4 5; do
    "$@" && return 0
    [ "$try" = 5 ] || { say "that failed; trying again in $((try * 5)) s"; sleep $((try * 5)); }
  done
  return 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

has_nvidia_driver() { [ -e /proc/driver/nvidia/version ] || command -v nvidia-smi >/dev/null; }

torch=no cuda=no tests=no
for option in "$@"; do
  case "$option" in
    --torch) torch=yes ;;
    --full) torch=yes cuda=yes ;;
    --tests) torch=yes tests=yes packages+=("${test_packages[@]}") ;;
    *) fail "unknown option '$option'; usage: scripts/setup.sh [--torch] [--full] [--tests]" ;;
  esac
done
if [ "$torch" = yes ] && has_nvidia_driver; then cuda=yes; fi

# Debian packages.
missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
if [ "${#missing[@]}" = 0 ]; then
  say "Debian packages: all ${#packages[@]} are there"
else
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
    fail "these Debian packages are missing, and there is neither root nor sudo to install them: ${missing[*]}"
  say "Debian packages: installing ${#missing[@]} of ${#packages[@]}"
  apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=900 -o Acquire::Retries=3)
  retry as_root "${apt[@]}" update || fail "apt-get update failed; see above"
  retry as_root "${apt[@]}" install --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "apt-get could not install: ${missing[*]}"
fi

# The virtual environment, with Debian's own Python where there is one.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
if [ ! -x .venv/bin/python ]; then
  say "virtual environment: making .venv"
  "$python" -m venv .venv || fail "'$python -m venv .venv' failed; see above"
fi
# pip brings certificates of its own; the system's also know a company's proxy.
certificates=/etc/ssl/certs/ca-certificates.crt
[ ! -f "$certificates" ] || export PIP_CERT=${PIP_CERT:-$certificates}
pip_install=(-m pip install -q --disable-pip-version-check --no-input --retries 5)
# Installs one part of .venv unless it is there as its requirements say: part NAME FILE COMMAND... The
# stamps also tell scripts/build.sh that something came.
part() {
  local stamp=.venv/talkface-$1 list=$2 wanted
  wanted=$(sha256sum <"$list")
  if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    say "Python packages: $1 as wanted"
    return
  fi
  say "Python packages: installing $1"
  shift 2
  retry "$@" || fail "pip failed; see above"
  echo "$wanted" >"$stamp"
}

pip=(.venv/bin/python "${pip_install[@]}" --no-deps)
part base scripts/requirements.txt "${pip[@]}" -r scripts/requirements.txt
# MediaPipe is never imported, so a wheel that was made for another Python serves as well.
part nets scripts/requirements-nets.txt "${pip[@]}" --upgrade --only-binary=:all: --python-version 3.12 \
  -r scripts/requirements-nets.txt --target "$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
[ "$tests" = no ] || part style scripts/requirements-style.txt "${pip[@]}" -r scripts/requirements-style.txt
[ "$torch" = no ] || part torch scripts/requirements-torch.txt "${pip[@]}" -r scripts/requirements-torch.txt
with_cuda() {
  .venv/bin/python "${pip_install[@]}" "$(grep '^torch==' scripts/requirements-torch.txt)" &&
    "${pip[@]}" -r scripts/requirements-cuda.txt
}
[ "$cuda" = no ] || part cuda scripts/requirements-cuda.txt with_cuda

# A Python of its own for the judge of videos (tests/judge): it imports what the build only reads.
make_judge_python() {
  local venv=.venv-judge list=scripts/requirements-judge.txt wanted
  wanted=$(sha256sum <"$list")
  if [ "$(cat "$venv/talkface-setup" 2>/dev/null)" = "$wanted" ]; then
    say "the judge's Python packages: as wanted"
    return
  fi
  say "the judge's Python packages: installing"
  [ -x "$venv/bin/python" ] || "$python" -m venv "$venv" || fail "'$python -m venv $venv' failed; see above"
  retry "$venv/bin/python" "${pip_install[@]}" --no-deps -r "$list" ||
    fail "pip failed; see above"
  echo "$wanted" >"$venv/talkface-setup"
}

[ "$tests" = no ] || make_judge_python
say "done"
