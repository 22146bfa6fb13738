#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Build the tarball, the program, its completion and the Debian package in two clones, at places with names of other lengths, by another
# umask, zone, language and number of processors: all bytes must be equal. What is committed is built. `make reproducible` runs it.
#
#   OUT=build tests/reproducible.sh
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "${OUT:-build}")/reproducible
rm -rf "$out"
trap 'rm -rf "$out"' EXIT

build() { # DIRECTORY JOBS
	git clone -q . "$1"
	env -u OUT -u MAKEFLAGS -u MAKELEVEL make -C "$1" -j"$2" all >"$1.log" 2>&1 &&
		env -u OUT -u MAKEFLAGS -u MAKELEVEL make -C "$1" deb >>"$1.log" 2>&1 || {
		tail -n 40 "$1.log"
		echo "reproducible.sh: the build in $1 failed"
		exit 1
	}
}

mkdir -p "$out"
(umask 022 && TZ=UTC LC_ALL=C build "$out/one" 1)
(umask 027 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 build "$out/another-place/below/it" 2)

different=0 compared=0
cd "$out/one/build"
for file in heaptap heaptap.bash heaptap-*.tar.gz deb/*.deb; do
	if cmp "$file" "$out/another-place/below/it/build/$file"; then
		echo "equal: $(sha256sum "$file")"
	else
		different=1
	fi
	compared=$((compared + 1))
done
[ $different = 0 ] && [ $compared -ge 5 ]
