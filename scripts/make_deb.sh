#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Packs a build folder into a Debian package: scripts/make_deb.sh [BUILD [OUTPUT FOLDER]]
# (default: build, built if needed, into out/). The last line it prints is the package's path.
set -euo pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(realpath -m "${1:-$repo/build}")
output=$(realpath -m "${2:-$repo/out}")

[ -f "$build/build.ninja" ] || "$repo/scripts/build.sh" "$build"
option() { meson introspect "$build" --buildoptions |
  python3 -c 'import json, sys; print(next(o["value"] for o in json.load(sys.stdin) if o["name"] == sys.argv[1]))' "$1"; }
[ "$(option prefix)" = /usr ] ||
  { echo "make_deb: $build is configured for the prefix $(option prefix), not /usr: meson configure $build -Dprefix=/usr" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
DESTDIR=$root meson install -C "$build" --quiet
version=$(meson introspect "$build" --projectinfo | python3 -c 'import json, sys; print(json.load(sys.stdin)["version"])')
architecture=$(dpkg --print-architecture)

doc=$root/usr/share/doc/talkface
mkdir -p "$doc" "$root/DEBIAN" "$work/debian"
cat "$repo/LICENSE" "$repo/THIRD_PARTY.md" >"$doc/copyright"
engine_dir=$root/usr/$(option libdir)/talkface
strip --strip-unneeded "$root/usr/bin/talkface"* "$engine_dir/libtalkface-"*.so \
  "$root/usr/$(option libdir)/gstreamer-1.0/"*.so

# The libraries of Debian that our own binaries are linked with.
touch "$work/debian/control"
printf 'Source: talkface\n\nPackage: talkface\nArchitecture: any\n' >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O --ignore-missing-info -l"$engine_dir" \
  "$root/usr/bin/talkface" "$engine_dir/libtalkface-engine.so" \
  "$root/usr/$(option libdir)/gstreamer-1.0/"*.so 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || { echo "make_deb: dpkg-shlibdeps found no dependencies" >&2; exit 1; }

cat >"$root/DEBIAN/control" <<CONTROL
Package: talkface
Version: $version
Architecture: $architecture
Maintainer: talkface developers <talkface@localhost>
Installed-Size: $(du -sk "$root/usr" | cut -f1)
Section: video
Priority: optional
Depends: $depends, gstreamer1.0-plugins-base, gstreamer1.0-plugins-good
Recommends: gstreamer1.0-plugins-bad, gstreamer1.0-plugins-ugly, gstreamer1.0-libav, webp-pixbuf-loader
Description: talking-face video from speech and one portrait
 GStreamer element talkfacegen and the tool talkface. The package brings its own
 copy of libtorch for the CPU and of CUDA's runtime library, which that needs.
CONTROL

mkdir -p "$output"
package=$output/talkface_${version}_$architecture.deb
# zstd: xz needs minutes for libtorch.
dpkg-deb -Zzstd -z3 --root-owner-group -b "$root" "$package" >/dev/null
echo "$package"
