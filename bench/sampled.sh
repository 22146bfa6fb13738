#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a sampled object costs the target, beyond the cost of every call: a pair in which both halves make an event (-R 1), minus
# a pair that makes none; medians of ROUNDS rounds.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

every=() none=()
workload
for ((round = 0; round < ROUNDS; round++)); do
	heaptap -R 1 -p "$WORKLOAD_PID"
	every+=("$(ask pairs 110000)")
	untrace
	heaptap -R 4294967295 -p "$WORKLOAD_PID"
	none+=("$(ask pairs 110000)")
	untrace
done
all=$(median "${every[@]}") unsampled=$(median "${none[@]}")
echo "malloc(64) and free, CPU time, median of $ROUNDS rounds:"
figure 'unsampled pair' "$unsampled" ns
figure 'sampled pair: allocation, stack, free' "$all" ns
figure 'one sampled object, beyond the two traps' "$(calc "$all - $unsampled")" ns
finish
