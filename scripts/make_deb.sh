#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Packs a build folder into a package for the Debian (or Ubuntu) that it was built on:
#
#   scripts/make_deb.sh [BUILD [OUTPUT FOLDER]]     default: build, built if needed, into out/
#
# The last line it prints is the package's path. DEBFULLNAME and DEBEMAIL name the maintainer, as for
# Debian's own tools: whoever passes packages on gives them.
set -euo pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(realpath -m "${1:-$repo/build}")
output=$(realpath -m "${2:-$repo/out}")
maintainer="${DEBFULLNAME:-talkface developers} <${DEBEMAIL:-talkface@localhost}>"
fail() { echo "make_deb: $*" >&2; exit 1; }

[ -f "$build/build.ninja" ] || "$repo/scripts/build.sh" "$build"
# What `meson introspect BUILD WHAT` says, told by a Python expression over it as `facts`.
introspect() { meson introspect "$build" "$1" |
  python3 -c 'import json, sys; facts = json.load(sys.stdin); print(eval(sys.argv[1]))' "$2"; }
option() { introspect --buildoptions "next(o['value'] for o in facts if o['name'] == '$1')"; }
[ "$(option prefix)" = /usr ] ||
  fail "$build is configured for the prefix $(option prefix), not /usr: meson configure $build -Dprefix=/usr"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
doc=$root/usr/share/doc/talkface
libraries=$root/usr/$(option libdir)
engine_dir=$libraries/talkface
DESTDIR=$root meson install -C "$build" --quiet
mkdir -p "$doc/licences" "$root/DEBIAN" "$work/debian"

# One version of talkface is another package on each system, and the newer system's is the newer one.
# shellcheck disable=SC1091
. /etc/os-release
version=$(introspect --projectinfo "facts['version']")-1+${ID/debian/deb}${VERSION_ID:-}
architecture=$(dpkg --print-architecture)

# NVIDIA's libraries are passed on as they are.
find "$engine_dir" -name '*.so*' ! -name 'libcu*' -exec strip --strip-unneeded {} +
strip --strip-unneeded "$root/usr/bin/talkface"* "$libraries/gstreamer-1.0/"*.so
# Debian's policy: libraries are not executable, manual pages and changelogs are compressed.
find "$libraries" -name '*.so*' -exec chmod 644 {} +
find "$root/usr/share/man" -type f -exec gzip -9n {} +
gzip -9nc "$doc/CHANGELOG.md" >"$doc/changelog.gz"
rm "$doc/CHANGELOG.md"
gzip -9n >"$doc/changelog.Debian.gz" <<CHANGELOG
talkface ($version) unstable; urgency=medium

  * The changes of each version of talkface are in changelog.gz.

 -- $maintainer  $(date -Rur "$repo/CHANGELOG.md")
CHANGELOG

# What others ask of those who pass their work on: notices and licences as they came with libtorch.
{ cat "$repo/LICENSE"; echo; cat "$repo/THIRD_PARTY.md"; echo
  echo 'On Debian the texts of Apache-2.0, GPL-2, GPL-3 and LGPL-2.1 are in /usr/share/common-licenses/Apache-2.0,'
  echo '/usr/share/common-licenses/GPL-2, /usr/share/common-licenses/GPL-3 and /usr/share/common-licenses/LGPL-2.1; those'
  echo 'of libtorch and of CUDA are in /usr/share/doc/talkface/licences.'
} >"$doc/copyright"
ln -sf copyright "$doc/LICENSE"
ln -sf copyright "$doc/THIRD_PARTY.md"
packages=$(introspect --installed "next(f for f in facts if f.endswith('/libtorch_cpu.so')).rsplit('/', 3)[0]")
licences=("$packages"/torch-*.dist-info/licenses/* "$packages"/nvidia_cuda_runtime-*.dist-info/licenses/*)
for licence in "${licences[@]}"; do
  [ -f "$licence" ] || fail "$licence is not there: a package needs the licences of the libtorch in it"
  from=${licence#"$packages"/}
  gzip -9nc "$licence" >"$doc/licences/${from%%-*}-$(basename "$licence" .txt).gz"
done

# The libraries of Debian that anything of ours is linked with. What needs libtorch_cuda is of use
# only to those who bring that.
touch "$work/debian/control"
printf 'Source: talkface\n\nPackage: talkface\nArchitecture: any\n' >"$work/debian/control"
mapfile -t linked < <(find "$root/usr/bin" "$libraries" -type f ! -name 'libtalkface-cuda.so')
depends=$(cd "$work" && dpkg-shlibdeps -O --ignore-missing-info -l"$engine_dir" "${linked[@]}" \
  2>"$work/shlibdeps.log" | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || { cat "$work/shlibdeps.log" >&2; fail "dpkg-shlibdeps found no dependencies"; }

cat >"$root/DEBIAN/control" <<CONTROL
Package: talkface
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -sk "$root/usr" | cut -f1)
Section: video
Priority: optional
Depends: $depends, gstreamer1.0-plugins-base, gstreamer1.0-plugins-good
Recommends: gstreamer1.0-tools, gstreamer1.0-plugins-bad, gstreamer1.0-plugins-ugly, gstreamer1.0-libav, webp-pixbuf-loader
Description: talking-face video from speech and one portrait
 GStreamer element talkfacegen and the tool talkface. The package brings its own
 copy of libtorch for the CPU and of CUDA's runtime library, which that needs.
CONTROL
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"

mkdir -p "$output"
package=$output/talkface_${version}_$architecture.deb
# zstd, which Debian's dpkg reads since 12: xz needs minutes for libtorch.
dpkg-deb -Zzstd -z3 --root-owner-group -b "$root" "$package" >/dev/null
echo "$package"
