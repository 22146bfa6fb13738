#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# This build beside an older one, in turn, in one run: the pair loop under `record -p`, and heaptap's own CPU and memory
# while a process makes 500 000 pairs a second. Medians of ROUNDS rounds.
#
#   OLD=path/to/older/build bench/against.sh
#
# Without OLD there is nothing to compare with. The script says so and succeeds, so that `make bench` can run every script.
if [ -z "${OLD:-}" ]; then
	echo '  no older build to compare with: name one with OLD=path/to/older/build'
	exit 0
fi
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

PAIRS=${PAIRS:-110000} RATE=500000 SECONDS_EACH=${SECONDS_EACH:-2}
NEW=$OUT
declare -A pair share memory

# A floor in each round tells whether the machine changed meanwhile.
workload
for ((round = 0; round < ROUNDS; round++)); do
	trace ready "$NEW/bench/bare" floor "$WORKLOAD_PID"
	ask pairs 11000 >/dev/null
	pair[floor]+=" $(ask pairs "$PAIRS")"
	untrace
	for build in OLD NEW; do
		OUT=${!build}
		heaptap -p "$WORKLOAD_PID"
		ask pairs 11000 >/dev/null
		pair[$build]+=" $(ask pairs "$PAIRS")"
		used=$(cpu_ns "$tracer") since=$(date +%s%N)
		pairs=$(ask paced "$RATE" "$SECONDS_EACH") took=$(calc "$(date +%s%N) - $since")
		share[$build]+=" $(calc "100 * ($(cpu_ns "$tracer") - $used) / $took * $RATE / ($pairs / $took * 1e9)")"
		memory[$build]+=" $(awk '$1 == "RssAnon:" { print $2 / 1024 }' "/proc/$tracer/status")"
		untrace
	done
done

# shellcheck disable=SC2086 # lists of numbers
show() { # WHAT UNIT LIMIT NUMBERS-OF-OLD NUMBERS-OF-NEW
	local old new
	old=$(median $4) new=$(median $5)
	printf '  %-44s older %9s %-3s (%s), this %9s %-3s (%s)\n' "$1" "$(number "$old")" "$2" "$(spread $4)" \
		"$(number "$new")" "$2" "$(spread $5)"
	figure "$1: this / older" "$(calc "$new / $old")" x '<=' "$3"
}

# shellcheck disable=SC2086
printf '  %-44s %15s ns  (%s)\n' 'floor, empty programs at the same sites' "$(number "$(median ${pair[floor]})")" \
	"$(spread ${pair[floor]})"
show 'malloc(64) and free under record -p' ns 1.03 "${pair[OLD]}" "${pair[NEW]}"
show "heaptap's CPU at $RATE pairs/s" % 1.15 "${share[OLD]}" "${share[NEW]}"
show "heaptap's memory (RssAnon)" MiB 1.1 "${memory[OLD]}" "${memory[NEW]}"
finish
