#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A program with more stacks than heaptap keeps: how large it becomes at its limit, and while it writes; and that it says so.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

STACKS=${STACKS:-800000}

workload
heaptap -R 1 -p "$WORKLOAD_PID"
made=$(ask stacks 25 "$STACKS")
# Heaptap drains the ring at least every 100 ms.
sleep 0.3
status() { # FIELD: in KiB; nothing once heaptap is gone
	awk -v field="$1:" '$1 == field { print $2 }' "/proc/$tracer/status" 2>/dev/null || :
}

size=$(status RssAnon)
resident=$(status VmRSS)
echo 5 >"/proc/$tracer/clear_refs" # VmHWM begins anew
kill -INT "$tracer"
most=0
while now=$(status VmHWM) && [ -n "$now" ]; do
	most=$now
	sleep 0.01
done
untrace
echo "$made stacks, each another one, with -R 1:"
figure "heaptap's memory (RssAnon)" "$(calc "$size / 1024")" MiB '<=' 1024
figure 'the most while writing, beside that before (VmHWM / VmRSS)' "$(calc "$most / $resident")" '' '<=' 1.2
figure 'allocations counted' "$(from_index '.processes[0].alloc_objects')" '' '>=' "$made"
figure 'of them without a stack' "$(from_index '.processes[0].ledger.stack_no_room')" '' '>' 0
finish
