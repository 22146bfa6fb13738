#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run a command where libc is one built for CET: each of its functions that may be called through a pointer begins with endbr64, as
# on distributions that build so, which Debian does not. It is Debian's own source of the libc that is installed.
#
#   OUT=build tests/cet.sh COMMAND [ARGUMENT]...
#
# libc.so.6 and the dynamic linker are built in $OUT/cet.libc if they are not there, which takes some minutes; delete them there for
# newer ones. They stand in for the machine's in a mount namespace, which ends with COMMAND. Needs root. `make cet` runs it.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
out=$(realpath -m "${OUT:-build}")
place=$out/cet.libc
work=$place.work

[ $# -gt 0 ] || {
	sed -n 's/^#   //p' "$0" >&2
	exit 2
}
[ "$(id -u)" = 0 ] || {
	echo 'cet.sh: needs root, for a mount namespace and to trace: try sudo' >&2
	exit 3
}

install_missing() {
	local missing=() tool
	for tool in bison gawk; do
		command -v "$tool" >/dev/null || missing+=("$tool")
	done
	[ ${#missing[@]} = 0 ] || DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends "${missing[@]}" >/dev/null
}

# GNU/Linux on x86-64 as Debian configures it, but for CET; without what those two libraries do not need.
configure() { # SOURCE
	"$1/configure" --prefix=/usr --libdir=/usr/lib/x86_64-linux-gnu libc_cv_slibdir=/lib/x86_64-linux-gnu libc_cv_rtlddir=/lib64 \
		--enable-cet --disable-werror --disable-crypt --disable-profile CFLAGS='-O2 -g -fcf-protection=full'
}

build() {
	rm -rf "$work" "$place"
	mkdir -p "$work/build" "$work/libraries"
	"$here/e2e/kit/unpack.sh" "$work/package" glibc-source
	tar -x --no-same-owner -C "$work" -f "$work"/package/usr/src/glibc/glibc-*.tar.*
	(cd "$work/build" && configure "$(echo "$work"/glibc-*)" && make -j"$(nproc)" lib) >"$work/log" 2>&1 </dev/null || {
		tail -n 20 "$work/log"
		echo "cet.sh: glibc could not be built; all that was said is in $work/log" >&2
		return 1
	}
	# As they are shipped: without the symbols that only debuggers need.
	strip --strip-unneeded -o "$work/libraries/libc.so.6" "$work/build/libc.so"
	strip --strip-unneeded -o "$work/libraries/ld-linux-x86-64.so.2" "$work/build/elf/ld.so"
	mv "$work/libraries" "$place"
	rm -rf "$work"
}

[ -e "$place/libc.so.6" ] || {
	install_missing
	build
}
# By one process that is running already: a program between two of the mounts would get libraries that do not fit each other.
# shellcheck disable=SC2016 # perl expands it
exec unshare --mount --propagation private perl -MCwd=realpath -e '
	use constant { MOUNT => 165, MS_BIND => 4096 };
	for my $library (glob(shift . "/*")) {
		my $over = realpath("/lib/x86_64-linux-gnu/" . ($library =~ s{.*/}{}r));
		syscall(MOUNT, $library, $over, my $type = "none", MS_BIND, 0) == 0 or die "cet.sh: cannot mount over $over: $!\n";
	}
	exec @ARGV or die "cet.sh: cannot run $ARGV[0]: $!\n"' "$place" "$@"
