#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `--footprint small` in a control group of 64 MiB: record and push of a process of two threads at the default interval, the most memory that the
# group has had, and whether the kernel killed for it. Needs the memory controller.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

LIMIT=${LIMIT:-64} # MiB
PAIRS=${PAIRS:-1000000} # of each thread
MIB=1048576
hierarchy=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/self/mounts)
hierarchy=${hierarchy:-$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)}
group=${hierarchy:?no control groups are mounted}/heaptap-bench-$$
trap 'end "$tracer"; tracer=""; rmdir "$group" 2>/dev/null || :; leave' EXIT

name() { # FILE FILE: the one that the group has
	if [ -e "$group/$1" ]; then echo "$1"; else echo "$2"; fi
}

make_group() {
	echo +memory 2>/dev/null >"$hierarchy/cgroup.subtree_control" || :
	mkdir "$group"
	echo $((LIMIT * MIB)) >"$group/$(name memory.max memory.limit_in_bytes)"
	[ ! -e "$group/memory.swap.max" ] || echo 0 >"$group/memory.swap.max"
}

most() { # MiB that the group has had
	calc "$(cat "$group/$(name memory.peak memory.max_usage_in_bytes)") / $MIB"
}

killed() { # how many processes of the group the kernel has killed
	awk '$1 == "oom_kill" { print $2 }' "$group/$(name memory.events memory.oom_control)"
}

within() { # COMMAND...: from within the group
	trace ' tracing ' /bin/sh -c "echo 0 >'$group/cgroup.procs' && exec \"\$@\"" sh \
		"$OUT/heaptap" "$@" --footprint small -p "$WORKLOAD_PID"
}

work() {
	ask hold 100 >/dev/null
	ask threads 2 "$PAIRS" >/dev/null
}

report() { # WHAT
	figure "$1: the most memory that its group has" "$(most)" MiB '<=' "$LIMIT"
	figure "$1: processes killed for want of memory" "$(killed)" '' '<=' 0
	rmdir "$group"
}

workload
make_group
within record -o "$scratch/out" --force
work
untrace
report record
figure 'record: sampled allocations' "$(from_index '.processes[0].ledger.sampled')" '' '>=' 50
figure 'record: of which the ledger does not say what became' "$(from_index '.processes[0].ledger |
	.sampled - .freed - .live - .ended - .refused - .lost_ring - .lost_stash - .failed - .return_missed - .entry_only - .in_flight | fabs')" '' '<=' 0
figure 'record: of which were lost or not followed' "$(from_index '.processes[0].ledger | .refused + .lost_ring + .lost_stash')" '' '<=' 0

start_store
make_group
within push --every 1 --to "pyroscope+http://127.0.0.1:$port"
work
sleep 2
untrace
report push
figure 'push: profiles that the store took' "$(store_number profiles profiles)" '' '>=' 2
figure 'push: profiles that it refused' "$(store_number refused)" '' '<=' 0
finish
