#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A bare Debian in a folder, to try what a stranger's machine does. Needs root and debootstrap.
#
#   scripts/bare_system.sh make SUITE FOLDER       SUITE (bookworm, trixie; bookworm-arm64 is that Debian for 64-bit Arm,
#                                                  which QEMU runs here), nothing but the minimal system
#   scripts/bare_system.sh run FOLDER COMMAND...   runs a command in it, in /root, with an environment of its own
#
# `run` has process and mount tables of its own: whatever the command starts ends with it, and
# nothing stays mounted. Standard input and output are the caller's. TALKFACE_SYSTEMS (default
# ~/.cache/talkface-systems) keeps a copy of each minimal system, and what apt downloaded.
# A system for Arm sees this machine's root folder, read-only, at /host, so that compilers of this machine can work in it.
set -euo pipefail

systems=${TALKFACE_SYSTEMS:-$HOME/.cache/talkface-systems}
fail() { echo "bare_system: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "only root can make a system in a folder"

# Whether a system's programs are Arm's and this machine is not.
is_foreign() { [ -e "$1/lib/ld-linux-aarch64.so.1" ] && [ "$(uname -m)" != aarch64 ]; }

# Has the kernel run Arm's programs by QEMU, in every folder: Debian's rule opens the interpreter when it is registered. It
# stays so until the machine is restarted, as with Debian's own service, which containers do not run.
allow_arm64() {
  local formats=/proc/sys/fs/binfmt_misc rule=/usr/lib/binfmt.d/qemu-aarch64.conf
  [ "$(uname -m)" != aarch64 ] || fail "this machine is an Arm already: name the suite alone"
  [ -e "$formats/register" ] || mount -t binfmt_misc binfmt_misc "$formats" ||
    fail "the kernel lets nobody say how Arm's programs are run ($formats): in a container, that takes --privileged"
  [ ! -e "$formats/qemu-aarch64" ] || return 0
  [ -f "$rule" ] || fail "qemu-aarch64-static is missing: apt-get install qemu-user-static"
  cat "$rule" >"$formats/register"
}

# Makes this machine's compiler for Arm work in the system at /host/usr/bin/aarch64-linux-gnu-g++, with the system's own
# headers and libraries: what it looks for by whole paths are its own libraries, and those of its C library.
link_host() {
  mkdir -p "$1/host"
  ln -s host/lib64 "$1/lib64"
  ln -s ../../host/usr/lib/x86_64-linux-gnu "$1/usr/lib/x86_64-linux-gnu"
  ln -s ../host/usr/aarch64-linux-gnu "$1/usr/aarch64-linux-gnu"
}

# The minimal system of a suite, as Debian's servers have it now.
bootstrap() {
  local suite=${1%-arm64} base=$systems/$1 options=()
  if [ "$suite" != "$1" ]; then
    allow_arm64
    options=(--arch=arm64)
  fi
  [ -f "$base/etc/debian_version" ] && return
  command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap"
  mkdir -p "$systems"
  rm -rf "$base.part"
  debootstrap "${options[@]}" --variant=minbase "$suite" "$base.part" http://deb.debian.org/debian >"$base.log" 2>&1 ||
    { tail -20 "$base.log" >&2; fail "debootstrap could not make $1; see $base.log"; }
  cat >"$base.part/etc/apt/sources.list" <<SOURCES
deb http://deb.debian.org/debian $suite main
deb http://deb.debian.org/debian $suite-updates main
deb http://deb.debian.org/debian-security $suite-security main
SOURCES
  # What apt downloaded stays for the next system; no service is started in a folder.
  printf 'Binary::apt::APT::Keep-Downloaded-Packages "true";\nAPT::Keep-Downloaded-Packages "true";\n' \
    >"$base.part/etc/apt/apt.conf.d/keep-downloads"
  printf '#!/bin/sh\nexit 101\n' >"$base.part/usr/sbin/policy-rc.d"
  chmod +x "$base.part/usr/sbin/policy-rc.d"
  ! is_foreign "$base.part" || link_host "$base.part"
  mv "$base.part" "$base"
}

make_system() {
  local suite=$1 folder=$2
  [ ! -e "$folder" ] || fail "$folder exists: name a folder that does not, or remove it"
  bootstrap "$suite"
  mkdir -p "$(dirname "$folder")"
  cp -a --reflink=auto "$systems/$suite" "$folder"
  cp -L /etc/resolv.conf /etc/hosts "$folder/etc/"
  # The host's certificates: a company's proxy may be among them.
  mkdir -p "$folder/etc/ssl/certs" "$folder/usr/local/share/ca-certificates"
  cp -L /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/" 2>/dev/null || true
  cp -L /usr/local/share/ca-certificates/*.crt "$folder/usr/local/share/ca-certificates/" 2>/dev/null || true
}

# Gives one folder the packages of another. Systems do not share apt's own folder: its lock would
# make one wait for another.
share_packages() {
  mkdir -p "$2"
  find "$1" -maxdepth 1 -name '*.deb' -exec cp -n --reflink=auto -t "$2" {} + 2>/dev/null || true
}

# Runs in namespaces of its own, as process 1.
enter() {
  local folder=$1 suite
  shift
  suite=$(sed -n 's/^VERSION_CODENAME=//p' "$folder/etc/os-release")
  mount --make-rprivate /
  mount -t proc proc "$folder/proc"
  mount --rbind /sys "$folder/sys"
  mount --rbind /dev "$folder/dev"
  if is_foreign "$folder"; then
    allow_arm64
    suite+=-arm64
    mount --bind / "$folder/host"
    mount -o remount,bind,ro "$folder/host"
  fi
  share_packages "$systems/$suite.apt" "$folder/var/cache/apt/archives"
  # shellcheck disable=SC2064  # both names are local
  trap "share_packages '$folder/var/cache/apt/archives' '$systems/$suite.apt'" EXIT
  chroot "$folder" /usr/bin/env -i HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 ${CI:+CI="$CI"} \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -c 'cd && exec "$@"' sh "$@"
}

case "${1:-}" in
  make) [ $# = 3 ] || fail "usage: scripts/bare_system.sh make SUITE FOLDER"; make_system "$2" "$3" ;;
  run)
    [ $# -ge 3 ] || fail "usage: scripts/bare_system.sh run FOLDER COMMAND..."
    [ -f "$2/etc/os-release" ] || fail "$2 is no system: make it with scripts/bare_system.sh make SUITE $2"
    exec unshare --mount --pid --fork --kill-child "$0" enter "${@:2}" ;;
  enter) shift; enter "$@" ;;
  -h | --help) sed -n '3,11s/^# \{0,1\}//p' "$0" ;;
  *) fail "usage: scripts/bare_system.sh make SUITE FOLDER | run FOLDER COMMAND..." ;;
esac
