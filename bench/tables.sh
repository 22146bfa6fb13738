#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unwind tables: their size, and the time to make them, of libc and of the large files that are installed.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

tables() { # FILE KILOBYTES MILLISECONDS: what is required
	local answer rows kilobytes milliseconds lost
	answer=$("$OUT/bench/tables" "$1")
	read -r rows kilobytes milliseconds lost <<<"$answer"
	echo "${1##*/}: $rows rows, $lost without a rule"
	figure 'table' "$kilobytes" KB '<' "$2"
	figure 'time to make it' "$milliseconds" ms '<' "$3"
}

tables "$libc" 150 20
for file in /usr/bin/python3.[0-9] /usr/bin/python3.[0-9][0-9] /usr/bin/perl /usr/bin/node /usr/lib/*/lib{stdc++.so.6,crypto.so.3,LLVM-[0-9]*.so.1}; do
	[ ! -f "$file" ] || tables "$file" 5000 600
done
finish
