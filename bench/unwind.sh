#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What true stacks cost: the walk of 27 frames in the kernel, against the same frames by frame pointers; that of stacks deeper than
# those that are kept whole; attaching to a process that maps many libraries; and heaptap's memory then.
#
# LIBRARIES may name a directory to take the libraries from.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

PAIRS=${PAIRS:-22000}
FRAMES=27

# The run time of the BPF programs that a process holds. Some kernels show it for links too: each program counts once.
run_ns() { # PID
	awk 'FNR == 1 { id = "" }
	     $1 == "prog_id:" { id = $2 }
	     $1 == "run_time_ns:" && id != "" && !seen[id]++ { sum += $2 }
	     END { printf "%.0f\n", sum }' "/proc/$1"/fdinfo/*
}

timed() { # CHAIN FRAMES: nanoseconds the tracer's programs take for a pair
	local since
	ask "$1" "$2" 1100 >/dev/null
	since=$(run_ns "$tracer")
	ask "$1" "$2" "$PAIRS" >/dev/null
	calc "($(run_ns "$tracer") - $since) / $PAIRS"
}

# Sampled pairs with the whole stack and with its root only, unsampled ones, and frame pointers, alternately.
walks() {
	local deep=() root=() none=() walk=() leg=() found=() incomplete=() cut=() endless=()
	local lost='.ledger | .stack_no_mapping + .stack_no_rule + .stack_no_table + .stack_unreadable + .stack_stuck + .stack_raw + .stack_frame_pointer'
	workload
	trace ready "$OUT/bench/bare" timing 0
	timing=$tracer tracer=''
	for ((round = 0; round < ROUNDS; round++)); do
		heaptap -R 1 -p "$WORKLOAD_PID"
		deep+=("$(timed deep "$FRAMES")")
		root+=("$(timed deep 1)")
		cut+=("$(PAIRS=2200 timed deep 500)")
		untrace
		incomplete+=("$(from_index "$lost")")
		heaptap -R 1 -p "$WORKLOAD_PID"
		endless+=("$(PAIRS=2200 timed deep 5000)")
		untrace
		heaptap -R 4294967295 -p "$WORKLOAD_PID"
		none+=("$(timed deep "$FRAMES")")
		untrace
		trace ready "$OUT/bench/bare" walk "$WORKLOAD_PID"
		walk+=("$(timed framed "$FRAMES")")
		untrace
		found+=("$(awk '/frames/ { print $1 }' "$scratch/said")")
		trace ready "$OUT/bench/bare" leg "$WORKLOAD_PID"
		leg+=("$(timed framed "$FRAMES")")
		untrace
	done
	end "$timing"
	timing=''
	local all one unsampled pointers frames
	all=$(median "${deep[@]}") one=$(median "${root[@]}") unsampled=$(median "${none[@]}")
	frames=$(calc "($all - $one) * $FRAMES / ($FRAMES - 1)")
	pointers=$(calc "$(median "${walk[@]}") - $(median "${leg[@]}")")
	echo "a stack of $FRAMES frames, run time of the BPF programs, median of $ROUNDS rounds:"
	figure 'stacks that did not get to their root, most of a round' "$(printf '%s\n' "${incomplete[@]}" | sort -n | tail -1)" '' '<=' 0
	figure 'unsampled malloc and free' "$unsampled" ns
	figure 'sampled: stack, live map, events' "$all" ns
	figure 'one sampled object with its stack, beyond an unsampled' "$(calc "$all - $unsampled")" ns '<=' 4000
	figure "of it, walking $FRAMES frames by tables" "$frames" ns '<=' 4000
	figure "$(median "${found[@]}") frames by frame pointers (bpf_get_stack)" "$pointers" ns
	figure 'tables / frame pointers' "$(calc "$frames / $pointers")" x
	figure 'sampled, 500 frames deep' "$(median "${cut[@]}")" ns
	figure 'sampled, 5000 frames deep' "$(median "${endless[@]}")" ns
	figure '5000 frames / 500 frames' "$(calc "$(median "${endless[@]}") / $(median "${cut[@]}")")" x '<=' 3
}

# Libraries of the machine, from the smallest to the greatest, each file once; their paths, a line each.
libraries() { # COUNT
	find "${LIBRARIES:-/usr/lib}" -name '*.so*' -type f -size +15k -printf '%i %s %p\n' | sort -n -u -k1,1 | sort -n -k2,2 |
		cut -d ' ' -f 3- | awk -v wanted="$1" '
			{ path[NR] = $0 }
			END {
				if (wanted > NR)
					wanted = NR
				for (i = 0; i < wanted; i++)
					print path[1 + int(i * (NR - 1) / (wanted > 1 ? wanted - 1 : 1))]
			}'
}

# The most of heaptap's own memory within SECONDS from now, in MiB.
greatest_memory() { # SECONDS
	local until most=0 now
	until=$(($(date +%s) + $1))
	while (($(date +%s) < until)); do
		now=$(awk '$1 == "RssAnon:" { print $2 }' "/proc/$tracer/status")
		most=$((now > most ? now : most))
		sleep 0.01
	done
	calc "$most / 1024"
}

# Attached to a process that maps COUNT libraries; then their tables are made as far as they are not yet.
mapped() { # COUNT
	local files=() took=() memory=() start size
	mapfile -t files < <(libraries "$1")
	size=$(stat -c %s "${files[@]}" | awk '{ sum += $1 } END { print sum / 1e6 }')
	workload "${files[@]}"
	ask pairs 11 >/dev/null
	for ((round = 0; round < ROUNDS; round++)); do
		start=$(date +%s%N)
		heaptap -p "$WORKLOAD_PID"
		took+=("$(calc "($(date +%s%N) - $start) / 1000000")")
		memory+=("$(greatest_memory 2)")
		untrace
	done
	figure "${#files[@]} libraries ($(number "$size") MB): start to tracing, median of $ROUNDS" "$(median "${took[@]}")" ms "${@:2:2}"
	figure "${#files[@]} libraries: heaptap's memory (RssAnon) at most" "$(median "${memory[@]}")" MiB '<' 64
}

walks
mapped 60 '<' 500
mapped 200
finish
