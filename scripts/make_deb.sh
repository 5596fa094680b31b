#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Packs a build folder into packages for the Debian (or Ubuntu) that it was built on:
#
#   scripts/make_deb.sh [BUILD [OUTPUT FOLDER]]     default: build, built if needed, into out/
#
# talkface, and where the build has libtorch also talkface-torch. It prints their paths at the end, a
# line each. DEBFULLNAME and DEBEMAIL name the maintainer, as for Debian's own tools: whoever passes
# packages on gives them.
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
library_dir=usr/$(option libdir)
engine_dir=$library_dir/talkface
# One version of talkface is another package on each system, and the newer system's is the newer one.
# shellcheck disable=SC1091
. /etc/os-release
version=$(introspect --projectinfo "facts['version']")-1+${ID/debian/deb}${VERSION_ID:-}
architecture=$(dpkg --print-architecture)

# All that is installed, in talkface/; what has the tag "torch" moves on into talkface-torch/.
install_all() {
  local path
  DESTDIR=$work/talkface meson install -C "$build" --quiet
  meson introspect "$build" --install-plan | python3 -c '
import json, sys
prefix, libdir = sys.argv[1:]
places = {"{prefix}": prefix, "{bindir}": prefix + "/bin", "{mandir}": prefix + "/share/man", "{libdir}": prefix + "/" + libdir, "{includedir}": prefix + "/include"}
for kind in json.load(sys.stdin).values():
    for facts in kind.values():
        path = facts["destination"]
        for name, place in places.items():
            path = path.replace(name, place)
        if facts.get("tag") == "torch":
            print(path.lstrip("/"))' /usr "$(option libdir)" |
    while read -r path; do
      mkdir -p "$work/talkface-torch/$(dirname "$path")"
      mv "$work/talkface/$path" "$work/talkface-torch/$path"
    done
}

# Strips and compresses as Debian's policy asks: tidy ROOT
tidy() {
  # NVIDIA's libraries are passed on as they are.
  find "$1/$engine_dir" -name '*.so*' ! -name 'libcu*' -exec strip --strip-unneeded {} +
  find "$1/usr/bin" -type f -exec strip --strip-unneeded {} +
  find "$1/$library_dir" -path '*/gstreamer-1.0/*.so' -exec strip --strip-unneeded {} +
  find "$1/$library_dir" -name '*.so*' -exec chmod 644 {} +
  find "$1/usr/share/man" -type f -exec gzip -9n {} +
}

# Copyright and changelog of a package: documents PACKAGE
documents() {
  local doc=$work/$1/usr/share/doc/$1
  mkdir -p "$doc"
  gzip -9nc "$repo/CHANGELOG.md" >"$doc/changelog.gz"
  gzip -9n >"$doc/changelog.Debian.gz" <<CHANGELOG
$1 ($version) unstable; urgency=medium

  * The changes of each version of talkface are in changelog.gz.

 -- $maintainer  $(date -Rur "$repo/CHANGELOG.md")
CHANGELOG
  { cat "$repo/LICENSE"; echo; cat "$repo/THIRD_PARTY.md"; echo
    echo 'On Debian the texts of Apache-2.0, GPL-2, GPL-3 and LGPL-2.1 are in /usr/share/common-licenses/Apache-2.0,'
    echo '/usr/share/common-licenses/GPL-2, /usr/share/common-licenses/GPL-3 and /usr/share/common-licenses/LGPL-2.1; those'
    echo 'of libtorch and of CUDA are in /usr/share/doc/talkface-torch/licences, which the package talkface-torch brings.'
  } >"$doc/copyright"
}

# What others ask of those who pass their work on: licences as they came with libtorch.
torch_licences() {
  local doc=$work/talkface-torch/usr/share/doc/talkface-torch packages licence from
  packages=$(introspect --installed "next(f for f in facts if f.endswith('/libtorch_cpu.so')).rsplit('/', 3)[0]")
  mkdir -p "$doc/licences"
  for licence in "$packages"/torch-*.dist-info/licenses/* "$packages"/nvidia_cuda_runtime-*.dist-info/licenses/*; do
    [ -f "$licence" ] || fail "$licence is not there: a package needs the licences of the libtorch in it"
    from=${licence#"$packages"/}
    gzip -9nc "$licence" >"$doc/licences/${from%%-*}-$(basename "$licence" .txt).gz"
  done
}

# The libraries of Debian that anything in a package is linked with: depends PACKAGE. What needs
# libtorch_cuda is of use only to those who bring that.
depends() {
  local linked found
  mkdir -p "$work/debian"
  printf 'Source: talkface\n\nPackage: %s\nArchitecture: any\n' "$1" >"$work/debian/control"
  mapfile -t linked < <(find "$work/$1/usr/bin" "$work/$1/$library_dir" -type f ! -name 'libtalkface-cuda.so' ! -name '*.pc')
  found=$(cd "$work" && dpkg-shlibdeps -O --ignore-missing-info -l"$work/$1/$engine_dir" "${linked[@]}" \
    2>"$work/shlibdeps.log" | sed -n 's/^shlibs:Depends=//p')
  [ -n "$found" ] || { cat "$work/shlibdeps.log" >&2; fail "dpkg-shlibdeps found no dependencies of $1"; }
  echo "$found"
}

# Writes the package; what it says of itself beyond the usual comes from standard input: pack PACKAGE
pack() {
  local root=$work/$1 package=$output/$1_${version}_$architecture.deb
  mkdir -p "$root/DEBIAN" "$output"
  { cat <<CONTROL
Package: $1
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -sk "$root/usr" | cut -f1)
Section: video
Priority: optional
CONTROL
    cat; } >"$root/DEBIAN/control"
  (cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
  # zstd, which Debian's dpkg reads since 12: xz needs minutes for libtorch.
  dpkg-deb -Zzstd -z3 --root-owner-group -b "$root" "$package" >/dev/null
  echo "$package"
}

install_all
tidy "$work/talkface"
documents talkface
rm "$work/talkface/usr/share/doc/talkface/CHANGELOG.md"
ln -sf copyright "$work/talkface/usr/share/doc/talkface/LICENSE"
ln -sf copyright "$work/talkface/usr/share/doc/talkface/THIRD_PARTY.md"
needs=$(depends talkface)
pack talkface <<CONTROL
Depends: $needs, gstreamer1.0-plugins-base, gstreamer1.0-plugins-good
Recommends: gstreamer1.0-tools, gstreamer1.0-plugins-bad, gstreamer1.0-plugins-ugly, gstreamer1.0-libav, webp-pixbuf-loader
Suggests: talkface-torch
Description: talking-face video from speech and one portrait
 GStreamer element talkfacegen, the tool talkface, and the embedded model, which
 runs on any CPU. Models on libtorch need the package talkface-torch.
CONTROL
[ -d "$work/talkface-torch" ] || exit 0

tidy "$work/talkface-torch"
documents talkface-torch
torch_licences
needs=$(depends talkface-torch)
pack talkface-torch <<CONTROL
Depends: talkface (= $version), $needs
Description: talkface's models on libtorch, and its trainer
 Lets talkface run models of the paper's latent diffusion (family mftfg), and
 brings talkface-train, which imports and trains models. The package has its own
 copy of libtorch for the CPU and of CUDA's runtime library, which that needs.
CONTROL
