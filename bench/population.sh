#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two thousand processes of one group, two hundred of which allocate: how soon heaptap traces them, and its own CPU and memory at
# the default interval. Then 100 forks a second for SECONDS_OF_FORKS (60), during which its memory must not grow.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"
# shellcheck source=bench/crowd.bash
. "$(dirname "$0")/crowd.bash"

SECONDS_OF_FORKS=${SECONDS_OF_FORKS:-60}
trap 'empty_group; leave' EXIT

kib() {
	awk '/^RssAnon/ { print $2 }' "/proc/$tracer/status"
}

# Memory comes and goes with the processes that have ended and wait for the next batch, every five seconds.
most_kib() { # WORDS: of an order; the most in the last six seconds of it
	local sizes=()
	order "$1" &
	while kill -0 $! 2>/dev/null; do
		sizes+=("$(kib)")
		sleep 0.2
	done
	wait $!
	printf '%s\n' "${sizes[@]: -30}" | sort -n | tail -1
}

populate 2000 200
attached=()
for ((round = 0; round < ROUNDS; round++)); do
	from=${EPOCHREALTIME/[^0-9]/}
	heaptap --cgroup "${group#"$mount"}"
	attached+=("$(calc "(${EPOCHREALTIME/[^0-9]/} - $from) / 1e6")")
	untrace
done
heaptap --cgroup "${group#"$mount"}"
cpu=$(cpu_ns "$tracer") from=${EPOCHREALTIME/[^0-9]/}
order 'work 10'
share=$(calc "100 * ($(cpu_ns "$tracer") - $cpu) / 1e3 / (${EPOCHREALTIME/[^0-9]/} - $from)")
size=$(kib)
untrace
empty_group
echo "2000 processes, 200 of them allocating (median of $ROUNDS attaches: $(spread "${attached[@]}") s):"
figure 'tracing after' "$(median "${attached[@]}")" s '<=' 2
figure "heaptap's memory (RssAnon)" "$(calc "$size / 1024")" MiB '<=' 128
figure "heaptap's CPU time, of one core" "$share" % '<=' 5

populate 1 1
heaptap --cgroup "${group#"$mount"}"
early=$(most_kib "fork 100 $((SECONDS_OF_FORKS / 6))")
late=$(most_kib "fork 100 $((SECONDS_OF_FORKS - SECONDS_OF_FORKS / 6))")
untrace
echo "100 forks a second for $SECONDS_OF_FORKS s:"
figure "heaptap's most memory by a sixth of them" "$(calc "$early / 1024")" MiB
figure "heaptap's most memory by the end" "$(calc "$late / 1024")" MiB '<=' "$(calc "$early / 1024 + 4")"
finish
