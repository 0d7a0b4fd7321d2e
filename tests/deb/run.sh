#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: run.sh FOLDER. Installs the packages in FOLDER in a Debian 12 that has nothing else, made for
# it from this machine's mirrors, and uses them as their users do: the tool alone first, then the
# examples with CMake, make and pkg-config. Needs root and a network; exit status 77 where it has none.
set -euo pipefail
packages=$(realpath "$1")
source=$(cd "$(dirname "$0")/../.." && pwd)
skip() { echo "$*" && exit 77; }
die() { echo "failed: $*" && exit 1; }
((EUID == 0)) || skip "needs root, to make a Debian of its own"
command -v debootstrap >/dev/null || skip "needs debootstrap"
unshare -m true 2>/dev/null || skip "needs a mount namespace of its own"
# What is mounted in the new root goes with this process.
[[ ${INGOT_DEB_INSIDE:-} ]] || INGOT_DEB_INSIDE=1 exec unshare -m "$0" "$@"

root=$(mktemp -d)
trap 'umount "$root/proc" 2>/dev/null || true; rm -rf --one-file-system "$root"' EXIT
# The mirror that this machine uses for Debian itself.
sources=$(grep -lE '^(URIs:|deb ).*/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null |
  head -n 1 || true)
mirror=$(grep -ohE 'https?://[^ ]*/debian/?( |$)' "${sources:-/dev/null}" | head -n 1 || true)
debootstrap --variant=minbase bookworm "$root" "${mirror:-http://deb.debian.org/debian}" >"$root.log" 2>&1 || {
  tail -n 3 "$root.log"
  skip "no Debian 12 could be made from ${mirror:-deb.debian.org}"
}
rm -f "$root.log"
mount -t proc proc "$root/proc"
cp /etc/resolv.conf "$root/etc/"
[[ ! $sources ]] || { rm -f "$root/etc/apt/sources.list" && cp "$sources" "$root/etc/apt/sources.list.d/"; }
mkdir "$root/packages" "$root/work"
cp "$packages"/*.deb "$root/packages/"
cp -r "$source/examples" "$root/work/"

# inside COMMAND: in the new Debian, quiet unless it fails.
inside() {
  printf '# %s\n' "$*"
  chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive bash -euo pipefail -c "cd /work && $*" >"$root/log" 2>&1 </dev/null ||
    { tail -n 20 "$root/log"; die "$*"; }
}
says() { grep -q -- "$1" "$root/log" || { tail -n 20 "$root/log"; die "it does not say '$1'"; }; }
install='apt-get -qq -y --no-install-recommends install'

inside "apt-get -qq update"
inside "$install /packages/ingot_*.deb"
inside "ingot compile examples/digits/digits.onnx -o out"
inside "! dpkg -l | grep -E '^ii +(llvm-19|libprotobuf-dev|g\+\+)'"
inside "$install g++ libc6-dev"
inside "g++ -std=c++17 -O2 -Iout examples/digits/main.cpp out/digits.o -o digits && ./digits examples/digits/inputs.txt"
says '20 of 20 right'
inside "$install /packages/libingot-dev_*.deb cmake make pkg-config"
inside "cmake -S examples/cmake -B cmake && cmake --build cmake && cmake --build cmake --target demo"
says '20 of 20 right'
inside "make -C examples/make demo"
says '20 of 20 right'
inside "$install /packages/libingot-compiler-dev_*.deb"
inside "cmake -S examples/library -B library && cmake --build library && cmake --build library --target demo"
says '20 of 20 right'
inside "g++ -std=c++17 examples/library/main.cpp \$(pkg-config --cflags --libs ingot-compiler) -o main && ./main examples/digits/digits.onnx examples/digits/inputs.txt"
says '20 of 20 right'
inside "dpkg --purge libingot-compiler-dev libingot-dev ingot && ! find /usr -name '*[iI]ngot*' | grep ."
echo "three packages install in a bare Debian 12, serve CMake, make and pkg-config, and leave nothing behind"
