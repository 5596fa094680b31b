#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes the files of a release out of the last commit, into out/release or FOLDER:
#
#   scripts/release.sh [--dry-run] [--source-only] [--unreleased] [FOLDER]
#
#   talkface-VERSION.tar.xz      all tracked files; it builds without git
#   talkface_VERSION_*.deb       built from that archive, for the system that this runs on
#   SHA256SUMS                   of all that is in the folder, packages made on another system too
#
# The version is meson.build's. Nothing may be uncommitted, and CHANGELOG.md must have a section
# "## VERSION (DATE)". --unreleased takes a section without a date as well, to try a version out. --source-only makes
# no package. --dry-run only checks and says what would be made.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
fail() { echo "release: $*" >&2; exit 1; }

dry_run='' source_only='' date='[0-9]{4}-[0-9]{2}-[0-9]{2}' folder=out/release
for argument in "$@"; do
  case "$argument" in
    --dry-run) dry_run=yes ;;
    --source-only) source_only=yes ;;
    --unreleased) date='.*' ;;
    -h | --help) sed -n '3,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    -*) fail "unknown option '$argument'; see scripts/release.sh --help" ;;
    *) folder=$argument ;;
  esac
done
folder=$(realpath -m "$folder")

[ -e .git ] || fail "a release is made in a git clone; this is none"
changed=$(git status --porcelain)
[ -z "$changed" ] || fail "commit or remove these changes first:"$'\n'"$changed"
version=$(sed -n "1s/^project(.*[( ]version: '\([^']*\)'.*/\1/p" meson.build)
[ -n "$version" ] || fail "meson.build: its first line names no version"
grep -Eq "^## ${version//./\\.} \($date\)\$" CHANGELOG.md ||
  fail "CHANGELOG.md has no section '## $version (DATE)', such as '## $version ($(date +%F))'"
! git rev-parse --verify --quiet "v$version^{commit}" >/dev/null ||
  [ "$(git rev-parse "v$version^{commit}")" = "$(git rev-parse HEAD)" ] ||
  fail "the tag v$version names another commit: raise the version in meson.build"

name=talkface-$version
echo "release: $folder/$name.tar.xz"
[ -n "$source_only" ] || echo "release: $folder/talkface{,-torch}_${version}*_$(dpkg --print-architecture).deb, for this system"
[ -z "$dry_run" ] || exit 0

mkdir -p "$folder"
# The same bytes for the same commit: git takes the commit's time, and one thread of xz cuts no blocks.
git archive --format=tar --prefix="$name/" HEAD | xz -6 -T1 >"$folder/$name.tar.xz"

if [ -z "$source_only" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  tar -xJf "$folder/$name.tar.xz" -C "$work"
  [ ! -d .venv ] || ln -s "$(realpath .venv)" "$work/$name/.venv"
  "$work/$name/scripts/setup.sh" --torch
  "$work/$name/scripts/make_deb.sh" "$work/$name/build" "$folder"
fi

(cd "$folder" && sha256sum talkface[-_]* >SHA256SUMS)
echo "release: checksums are in $folder/SHA256SUMS"
echo "release: sign the tag yourself: git tag -s v$version -m 'talkface $version' && git push origin v$version"
