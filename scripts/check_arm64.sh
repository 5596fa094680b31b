#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds this branch for 64-bit Arm, without libtorch, and runs the quick tests there: in a Debian 12 for Arm whose
# programs QEMU runs. Needs root, debootstrap, qemu-user-static and g++-aarch64-linux-gnu on a Debian 12 for amd64, and
# the .venv of scripts/setup.sh, whose MediaPipe it borrows. The compiler is this machine's: emulated, it would take ten
# times as long.
#
#   scripts/check_on.sh arm64 [COMMAND]     COMMAND instead of the tests, in the clone, in whose folder `build` all is built
#
# The system is TALKFACE_SYSTEMS (default ~/.cache/talkface-systems)/check-arm64; it stays where something failed.
# The last line counts what passed, failed and was skipped.
set -euo pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bare=$repo/scripts/bare_system.sh
system=${TALKFACE_SYSTEMS:-$HOME/.cache/talkface-systems}/check-arm64
clone=$system/root/talkface
# Beside what scripts/setup.sh names: of what it installs for tests, what the quick ones run.
test_packages=(ffmpeg groff-base python3-numpy python3-gi gir1.2-gstreamer-1.0 gir1.2-gst-plugins-base-1.0)
fail() { echo "check_arm64: $*" >&2; exit 1; }
in_system() { "$bare" run "$system" "$@"; }
in_clone() { in_system env --chdir=talkface "$@"; }

check_machine() {
  command -v aarch64-linux-gnu-g++ >/dev/null || fail "the compiler is missing: apt-get install g++-aarch64-linux-gnu"
  grep -q '^VERSION_CODENAME=bookworm' /etc/os-release || fail "the compiler must be Debian 12's, as the system's libraries are"
  find_nets >/dev/null
}

# The Python packages that scripts/convert_mediapipe.py reads: nothing that it uses of them is of a processor.
find_nets() {
  local folder
  folder=$("$repo/.venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))') &&
    ls -d "$folder"/{mediapipe,tflite,flatbuffers}{,-*.dist-info} || fail "MediaPipe's files are missing: run scripts/setup.sh"
}

# Puts packages into the system without configuring them: dpkg, emulated, takes a quarter of an hour for what is done here
# in a minute. What their scripts would have made, and is used, is made at the end.
unpack() {
  local install=(apt-get -qq -o Acquire::Retries=3 install --no-install-recommends) libraries=/usr/lib/aarch64-linux-gnu
  local names name
  in_system apt-get -qq update
  in_system "${install[@]}" --download-only "$@" >/dev/null
  # Whole names of the files: where apt finds none downloaded, it says what it would download.
  names=$(in_system "${install[@]}" --print-uris -o Dir::Cache::archives=/tmp "$@" | cut -d ' ' -f 2)
  for name in $names; do
    dpkg-deb --fsys-tarfile "$system/var/cache/apt/archives/$name" | tar -x --keep-directory-symlink -C "$system"
  done
  # In place of Debian's alternatives.
  printf '%s\n' "$libraries/blas" "$libraries/lapack" >"$system/etc/ld.so.conf.d/talkface.conf"
  in_system ldconfig
  in_system "$libraries/gdk-pixbuf-2.0/gdk-pixbuf-query-loaders" --update-cache
  in_system update-mime-database /usr/share/mime
}

make_system() {
  local packages
  rm -rf "$system"
  "$bare" make bookworm-arm64 "$system"
  git clone -q --no-hardlinks "$repo" "$clone"
  read -ra packages <<<"$("$repo/scripts/setup.sh" --list-packages)"
  unpack "${packages[@]}" git "${test_packages[@]}"
  in_clone python3 -m venv --system-site-packages --without-pip .venv
  find_nets | xargs cp -r -t "$(echo "$clone"/.venv/lib/python3*/site-packages)"
}

compiler=/host/usr/bin/aarch64-linux-gnu-g++  # of this machine, as the tree sees it
build() {
  in_clone env TALKFACE_WERROR=1 CXX="$compiler" scripts/build.sh build \
    -Dtorch=none -Dcuda=disabled -Dopencv=disabled
}

# As ./test.sh --quick does, but for the judge of videos, whose Python packages setup.sh --tests brings; what hangs here may
# take longer to be known.
run_tests() {
  local counts p f s start=$SECONDS
  in_clone env CXX="$compiler" meson test -C build --no-rebuild --print-errorlogs -q --no-suite slow --no-suite judge \
    --timeout-multiplier 60 || true
  counts=$(in_clone python3 scripts/count_tests.py build/meson-logs/testlog.json) || counts="0 1 0"
  read -r p f s <<<"$counts"
  echo "ran the quick tests on arm64 ($((SECONDS - start)) s)"
  echo "$p passed, $f failed, $s skipped"
  [ "$f" = 0 ]
}

check_machine
command=${1:-}
if [ -z "$command" ] || [ ! -d "$clone" ]; then
  make_system
else
  git -C "$clone" fetch -q
  git -C "$clone" reset -q --hard '@{upstream}'
fi
build
if [ -n "$command" ]; then
  in_clone bash -c "$command"
  exit
fi
run_tests
rm -rf "$system"
