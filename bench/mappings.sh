#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What --mappings costs: an mmap of 64 KiB with its munmap, whose memory is not touched, and one of which a page is; malloc(64) with its
# free, beside heaptap without the option; and the same mmap with munmap in a process that is not traced. What no design at the tracepoints of all
# system calls can avoid, empty programs there, stands beside it. ROUNDS rounds; medians.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

MAPS=${MAPS:-44000} PAIRS=${PAIRS:-110000}
declare -A taken

note() { # NAME COMMAND...: ask the workload
	local name=$1
	shift
	taken[$name]+=" $(ask "$@")"
}

note_all() { # NAME
	note "maps_$1" maps "$MAPS"
	note "written_$1" maps "$MAPS" 1
}

sleep infinity &
bystander=$!
# shellcheck disable=SC2064 # now: it does not change
trap "end $bystander; leave" EXIT
workload
for ((round = 0; round < ROUNDS; round++)); do
	note_all alone
	trace ready "$OUT/bench/bare" calls "$WORKLOAD_PID"
	note maps_floor maps "$MAPS"
	untrace
	heaptap -p "$WORKLOAD_PID"
	note pairs_plain pairs "$PAIRS"
	untrace
	heaptap --mappings -p "$WORKLOAD_PID"
	note_all traced
	note pairs_traced pairs "$PAIRS"
	untrace
	heaptap --mappings -p "$bystander"
	note_all beside
	untrace
done

declare -A ns
for name in "${!taken[@]}"; do
	# shellcheck disable=SC2086
	ns[$name]=$(median ${taken[$name]})
done
figure 'mmap and munmap, alone' "${ns[maps_alone]}" ns
figure '  under --mappings' "${ns[maps_traced]}" ns
figure '  of alone' "$(calc "${ns[maps_traced]} / ${ns[maps_alone]}")" x '<=' 1.5
figure '  with empty programs at all system calls (the floor), of alone' "$(calc "${ns[maps_floor]} / ${ns[maps_alone]}")" x
figure '  under --mappings, of the floor' "$(calc "${ns[maps_traced]} / ${ns[maps_floor]}")" x
figure '  not traced, while another process is' "$(calc "${ns[maps_beside]} / ${ns[maps_alone]}")" x '<' 1.2
figure 'with a page written to, alone' "${ns[written_alone]}" ns
figure '  under --mappings' "$(calc "${ns[written_traced]} / ${ns[written_alone]}")" x '<=' 1.5
figure 'malloc and free under --mappings, of heaptap without it' "$(calc "${ns[pairs_traced]} / ${ns[pairs_plain]}")" x '<' 1.02
finish
