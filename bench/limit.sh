#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A program with more stacks than heaptap keeps: how large it becomes at its limit, and that it says so.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

STACKS=${STACKS:-800000}

workload
heaptap -R 1 -p "$WORKLOAD_PID"
made=$(ask stacks 25 "$STACKS")
# Heaptap drains the ring every 20 ms.
sleep 0.1
size=$(awk '/^RssAnon/ { print $2 }' "/proc/$tracer/status")
untrace
echo "$made stacks, each another one, with -R 1:"
figure "heaptap's memory (RssAnon)" "$(calc "$size / 1024")" MiB '<=' 1024
figure 'allocations counted' "$(from_index '.processes[0].alloc_objects')" '' '>=' "$made"
figure 'of them without a stack' "$(from_index '.processes[0].ledger.stack_no_room')" '' '>' 0
finish
