#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a Go program pays while heaptap reads its profiler's records from outside, every INTERVAL (1) seconds, and has probes at the births and
# deaths of what Go samples: the CPU time of equal work, with heaptap and without it, in turn, of one process. ROUNDS (40) pairs, now the one
# first and now the other; the mean of their ratios, its error, and what can be ruled out: the mean less two errors.
ROUNDS=${ROUNDS:-40}
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

TREES=${TREES:-100000}
INTERVAL=${INTERVAL:-1}
coproc WORKLOAD { exec "$OUT/bench/trees_go"; }
ratios=''

# CPU time in ns. Work before it, which does not count: while nothing was asked of it, Go's scavenger gave back memory, which is touched anew.
work() {
	local spent
	for _ in 1 2; do
		echo "$TREES" >&"${WORKLOAD[1]}"
		read -r spent <&"${WORKLOAD[0]}"
	done
	echo "$spent"
}

read_outside() {
	heaptap --interval "$INTERVAL" -p "$WORKLOAD_PID"
	with=$(work)
	untrace
}

work >/dev/null # its heap grows to its size
for ((round = 0; round < ROUNDS; round++)); do
	[ $((round % 2)) = 0 ] || read_outside
	alone=$(work)
	[ $((round % 2)) = 1 ] || read_outside
	ratios+=" $(calc "$with / $alone")"
done
# shellcheck disable=SC2086
read -r mean error < <(printf '%s\n' $ratios |
	awk '{ s += $1; q += $1 * $1 } END { m = s / NR; print m, sqrt((q / NR - m * m) / (NR - 1)) }')
figure 'profiles of the last round' "$(find "$scratch/out" -name '*.pb.gz' | wc -l)" ''
figure 'births that the probes saw in it' "$(from_index '[.processes[].ledger.ages_born // 0] | add')" '' '>=' 1
figure 'deaths' "$(from_index '[.processes[].ledger.ages_died // 0] | add')" ''
figure "the program's CPU time, without heaptap" "$(calc "$alone / 1e6")" ms
figure 'the same while heaptap reads, of that' "$mean" x
figure '  standard error' "$error" x
figure '  less two of them' "$(calc "$mean - 2 * $error")" x '<=' 1.005
finish
