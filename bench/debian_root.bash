# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tracers of a newer Debian than this machine's, run in a root that has them, to be sourced. MEMLEAK_ROOT names it; without it they are
# this machine's own.
# shellcheck shell=bash

# libbpf-tools' memleak takes object names of at most 31 characters, and tracers look them up in their own root: FILE is /mnt/traced there.
trace_in_root() { # WORD FILE COMMAND...
	local word=$1 file=$2
	shift 2
	# shellcheck disable=SC2016
	trace "$word" env -u LD_LIBRARY_PATH unshare --mount sh -c '
		root=$1 file=$2
		shift 2
		for dir in proc sys; do mount --rbind "/$dir" "$root/$dir"; done
		mount -t tmpfs none "$root/mnt" && touch "$root/mnt/traced" && mount --bind "$file" "$root/mnt/traced" &&
		exec chroot "$root" "$@"' \
		sh "${MEMLEAK_ROOT:-/}" "$file" "$@"
}

memleak() { # PID FILE: attach to the allocator in this file of the process
	trace_in_root Tracing "$2" stdbuf -oL memleak-libbpf -p "$1" -O /mnt/traced 3600
}

have_memleak() {
	[ -n "${MEMLEAK_ROOT:-}" ] || command -v memleak-libbpf >/dev/null
}
