# SPDX-License-Identifier: GPL-2.0-or-later
#
# How heaptap's cost grows, to be sourced after peers_work.bash: the pair loop as one thing is made more of, which stands behind the `=`
# of a work's name. Where heaptap's own CPU counts too, it is a row of its own, of a processor.
# What the pieces share has its names in several files.
# shellcheck shell=bash disable=SC2034,SC2154

GROWTHS=$(printf '%s ' threads={1,2,4,8} rate={1000,10000,100000,500000} live={1000,10000,100000,1000000} processes={1,10,100,1000,2000} \
	depth={5,10,20,40,80,120})
GROWTH_TOOLS=${GROWTH_TOOLS:-floor heaptap inline}

# Of two seconds, with what was used by then: as a row beside one of a whole processor.
own_row() { # NAME SINCE CPU
	local share=1
	[ -z "$tracer" ] || share=$(calc "($(cpu_ns "$tracer") - $3) / ($(now_ns) - $2)")
	echo "$1 itself $share $share"
}

own_cpu() {
	[ -z "$tracer" ] || cpu_ns "$tracer"
}

start_threads() { start_pair; }
stop_threads() { stop_pair; }
measure_threads() { # COUNT
	local cpu
	ask together "$1" 1100 >/dev/null
	cpu=$(ask together "$1" "$(units $((2000000 / $1)))") && echo "threads=$1 $cpu $cpu"
}

start_rate() { start_pair; }
stop_rate() { stop_pair; }
measure_rate() { # PAIRS-A-SECOND
	local since cpu own made
	since=$(now_ns) cpu=$(cpu_ns "$target") own=$(own_cpu)
	made=$(ask paced "$1" 2)
	cost_since "rate=$1" "$made" "$since" "$cpu"
	own_row "rate=$1" "$since" "$own"
}

# They are held by what is traced, so that the tracer knows each of them.
start_live() { # COUNT: each has a page, and a page of its tables
	[ $(($(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo) / 10)) -gt "$1" ] ||
		{ echo "$1 live samples take $(($1 / 100000)) GB of memory, more than there is" >"$scratch/said_by_work"; return 1; }
	start_pair
}
stop_live() { stop_pair; }
measure_live() { # COUNT
	[ -z "$tracer" ] || ask hold "$1" >/dev/null || return 1
	measure_pair "live=$1"
}

start_processes() { # COUNT: one of them is the pair loop, and one in ten allocates too
	start_pair && populate "$1" $((($1 + 9) / 10)) && echo "$target" >"$group/cgroup.procs" && attach_to=(--cgroup "${group#"$mount"}")
}
stop_processes() {
	attach_to=()
	echo "$WORKLOAD_PID" >"$mount/cgroup.procs" 2>/dev/null || :
	stop_pair
	empty_group
}
measure_processes() { # COUNT
	local since own
	since=$(now_ns) own=$(own_cpu)
	order 'work 2' &
	measure_pair "processes=$1"
	wait $!
	own_row "processes=$1" "$since" "$own"
}

start_depth() { start_pair; }
stop_depth() { stop_pair; }
measure_depth() { # FRAMES
	local cpu
	ask deep "$1" 1100 >/dev/null
	cpu=$(ask deep "$1" "$(units 200000)") && echo "depth=$1 $cpu $cpu"
}
