#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How long heaptap takes to be attached to a process and to leave it, on each rung of the kernel ladder; and that the process
# runs untraced afterwards.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

now_ms() {
	date +%s%N | awk '{ printf "%.1f\n", $1 / 1e6 }'
}

measure() { # RUNG LIMIT-OF-STOP-MS
	local attach=() stop=() start
	for ((round = 0; round < ROUNDS; round++)); do
		start=$(now_ms)
		HEAPTAP_ATTACH=$1 heaptap -p "$WORKLOAD_PID"
		attach+=("$(calc "$(now_ms) - $start")")
		ask pairs 11000 >/dev/null
		start=$(now_ms)
		untrace
		stop+=("$(calc "$(now_ms) - $start")")
		after+=("$(ask pairs 1100000)")
	done
	figure "$1: attach, median of $ROUNDS" "$(median "${attach[@]}")" ms
	figure "$1: Ctrl-C to exit, median of $ROUNDS ($(spread "${stop[@]}"))" "$(median "${stop[@]}")" ms '<' "$2"
}

after=()
workload
before=$(ask pairs 1100000)
measure session 500
measure multi 500
measure perf 3000
# A breakpoint left behind would make it a hundred times dearer.
figure 'malloc(64) and free, before' "$before" ns
figure 'malloc(64) and free, after' "$(median "${after[@]}")" ns '<' "$(calc "3 * $before")"
finish
