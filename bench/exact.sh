#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Exact mode keeps up: with -R 1, 100 000 pairs a second for 10 s, and 8 threads of 100 000 pairs as fast as they can, lose
# nothing; and heaptap's own CPU time per event.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

lost='.processes[0].ledger | .lost_ring + .lost_stash + .refused + .return_missed + .free_deferred + .free_unseen +
	.stack_lost_slot + .stack_lost_ring + .event_lost'

measure() { # WORDS COMMAND [NUMBER...]
	local words=$1 used start elapsed events
	shift
	workload
	heaptap -R 1 -p "$WORKLOAD_PID"
	used=$(cpu_ns "$tracer") start=$(date +%s%N)
	made=$(ask "$@")
	elapsed=$(calc "($(date +%s%N) - $start) / 1e9")
	# Heaptap drains the ring at least every 100 ms.
	sleep 0.3
	used=$(calc "$(cpu_ns "$tracer") - $used")
	untrace
	events=$(from_index '.processes[0].ledger | .sampled + .freed')
	echo "$words:"
	figure 'pairs a second' "$(calc "$made / $elapsed")" ''
	figure 'events' "$events" '' '>=' "$(calc "2 * $made")"
	figure 'events lost or degraded' "$(from_index "$lost")" '' '==' 0
	figure "heaptap's CPU time per event" "$(calc "$used / $events / 1000")" us '<=' 1
}

measure '100 000 pairs a second for 10 s' paced 100000 10
measure '8 threads of 100 000 pairs' threads 8 100000
finish
