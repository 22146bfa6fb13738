#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# memleak of libbpf-tools 0.31 keeps 31 characters of the path of the file that is named to it as the allocator's.
#
# Expected: any path can be named; /usr/lib/x86_64-linux-gnu/libjemalloc.so.2, where Debian has that allocator, has 42 characters.
# Seen: what is behind the 31st is cut off without a word, and the rest is not found. By a shorter name of the same file memleak gets further,
# and ends for want of mmap in it, which no allocator but libc's has.
# For a profiler: who compares it with memleak on a program that has an allocator of its own gets no figure, and has to read memleak's
# messages to the letter to see why.
. "$(dirname "$0")/packages.bash"

[ "$(id -u)" = 0 ] || unable 'BPF programs are refused; run it as root'
fetch trixie libbpf-tools=0.31.0+ds-7 libbpf1=1:1.5.0-3 libelf1t64=0.192-4 zlib1g=1:1.3.dfsg+really1.3.1-1+deb13u1 libzstd1=1.5.7+dfsg-1 \
	libc6=2.41-12+deb13u5 libjemalloc2=5.3.0-3 libstdc++6=14.2.0-19 libgcc-s1=14.2.0-19
loader=("$root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$libraries")
build <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Takes and keeps 16 bytes a hundred times a second, until there is no parent. */
int main(void)
{
	puts("ready");
	fflush(stdout);
	while (getppid() != 1 && malloc(16))
		usleep(10000);
	return 0;
}
C

coproc TARGET { exec "${loader[@]}" --preload "$libraries/libjemalloc.so.2" "$scratch/program"; }
target=$TARGET_PID
trap 'kill "$target" 2>/dev/null || :; rm -rf "$scratch"' EXIT
read -r _ <&"${TARGET[0]}"

memleak() { # FILE: what it says to a file, its exit status
	local status=0
	timeout -s INT 10 "${loader[@]}" "$root/usr/sbin/memleak-libbpf" -p "$target" -O "$1" 1 3 >"$scratch/said" 2>&1 || status=$?
	echo "$status"
}

long=$libraries/libjemalloc.so.2 short=$scratch/jemalloc
ln "$long" "$short"
expect 'exit status by the whole path' 254 "$(memleak "$long")"
expect 'characters of it that were kept' 31 "$(sed -n 's/.*failed to open \(.*\): No such file.*/\1/p' "$scratch/said" | tr -d '\n' | wc -c)"
expect_true "length of the short path: ${#short}" "${#short} <= 31"
expect 'exit status by the short path' 254 "$(memleak "$short")"
expect 'what it misses in the file' mmap "$(sed -n "s/.*failed to find symbol '\([a-z]*\)'.*/\1/p" "$scratch/said" | head -n 1)"
finish
