#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What heaptap takes of the control group that it runs in: the ring and the BPF maps, and the most while it loads its programs, in
# a group that is large and in the smallest in which it starts. Needs the memory controller.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

MIB=1048576
hierarchy=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/self/mounts)
hierarchy=${hierarchy:-$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)}
group=${hierarchy:?no control groups are mounted}/heaptap-bench-$$
trap 'rmdir "$group" 2>/dev/null || :; leave' EXIT

make_group() { # LIMIT in MiB
	echo +memory 2>/dev/null >"$hierarchy/cgroup.subtree_control" || :
	mkdir "$group"
	echo $(($1 * MIB)) >"$group/$(name memory.max memory.limit_in_bytes)"
}

name() { # FILE FILE: the one that the group has
	if [ -e "$group/$1" ]; then echo "$1"; else echo "$2"; fi
}

most() { # MiB that the group has had
	calc "$(cat "$group/$(name memory.peak memory.max_usage_in_bytes)") / $MIB"
}

# Record the workload from within the group.
begin() {
	: >"$scratch/said"
	trace ' tracing ' /bin/sh -c "echo 0 >'$group/cgroup.procs' && exec \"\$@\"" sh \
		"$OUT/heaptap" record -o "$scratch/out" --force -p "$WORKLOAD_PID"
}

workload
make_group 2048
begin
maps=$(map_mib "$tracer")
untrace
whole=$(most)
rmdir "$group"

make_group 8
! begin 2>/dev/null
needs=$(sed -n 's/.*heaptap needs \([0-9]*\).* MiB to start.*/\1/p' "$scratch/said")
[ -n "$needs" ] || { echo "$0: heaptap did not say what it needs:" >&2; cat "$scratch/said" >&2; exit 1; }
rmdir "$group"
least=$((needs + 4)) # what the group uses before is not left
make_group "$least"
begin
small=$(map_mib "$tracer")
untrace

figure 'ring and BPF maps (memlock)' "$maps" MiB '<=' 64
figure 'the most that its group has while it loads' "$whole" MiB '<=' "$(calc "$maps + 32")"
figure 'the smallest limit under which it was started' "$least" MiB
figure 'ring and BPF maps there' "$small" MiB '<=' 20
figure 'the most that its group has there' "$(most)" MiB '<=' "$least"
finish
