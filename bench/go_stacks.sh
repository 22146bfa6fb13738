#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Goroutines whose stacks grow, and are copied, while the probes in Go's runtime are hit: for MINUTES (1), of one program after the other, 64
# of them at a time. Each must end as it does without heaptap, and the births that the probes saw must be the objects that Go has sampled,
# but for a few from before, and after the last garbage collection.
MINUTES=${MINUTES:-1}
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

GOROUTINES=64
CALLS=${CALLS:-100} # of each goroutine, in one run
FEW=20		    # objects that a program samples before it waits, or when it is done
runs=0 births=0 failed=0 unequal=0

run() { # PROGRAM
	local said status born sampled
	coproc WORKLOAD { exec "$1" 512 "$CALLS" "$GOROUTINES"; }
	read -r -n 1 said <&"${WORKLOAD[0]}"
	heaptap -p "$WORKLOAD_PID"
	printf g >&"${WORKLOAD[1]}"
	read -r -n 1 said <&"${WORKLOAD[0]}" || :
	untrace
	[ "$said" != d ] || printf g >&"${WORKLOAD[1]}"
	status=0
	wait "$WORKLOAD_PID" || status=$?
	WORKLOAD_PID=''
	[ "$said$status" = d0 ] || failed=$((failed + 1))
	born=$(from_index '[.processes[].ledger.ages_born // 0] | add')
	sampled=$(from_index '[.processes[] | select(.go) | .ledger.sampled] | add')
	[ "$born" -le $((sampled + FEW)) ] && [ "$born" -ge $((sampled - FEW)) ] || unequal=$((unequal + 1))
	births=$((births + born))
	runs=$((runs + 1))
}

while [ "$SECONDS" -lt $((60 * MINUTES)) ]; do
	for program in own_plain 1.24_plain; do
		run "$OUT/tests/e2e/go_ages/$program"
	done
done
figure 'runs of a Go program whose stacks move' "$runs" '' '>=' 1
figure 'births that the probes saw' "$births" '' '>=' 1
figure 'runs that ended otherwise than without heaptap' "$failed" '' '<=' 0
figure 'runs in which the probes saw more or fewer births than Go' "$unequal" '' '<=' 0
finish
