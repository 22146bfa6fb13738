#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Names for 20 000 distinct frames of a large library: libLLVM (clang's own) without DWARF, and heaptap's, with DWARF and inlining, as
# often as it has places.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

names() { # FILE: the line of the shortest of some rounds
	local round
	for ((round = 0; round < 3; round++)); do
		"$OUT/bench/symbols" "$1" 20000
	done | sort -g | head -n 1
}

library=$(ldd "$(command -v clang)" | awk '/libLLVM/ { print $3 }')
for file in "$library" "$OUT/heaptap"; do
	read -r ms _ named distinct <<<"$(names "$file")"
	figure "20 000 frames of ${file##*/}, $named named, $distinct functions" "$(calc "$ms / 1000")" s '<' 5
done
finish
