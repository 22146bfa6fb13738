#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a malloc(64) with its free costs when COMMAND is sampled inside its own process (--inline), beside the same untraced and
# under probes, on copies of libc that nobody else has probes in: one and two threads, and with many live samples; and what a
# pair of a program's own pool costs. Then what the copies cost at a start. ROUNDS alternating rounds, medians.
ROUNDS=${ROUNDS:-11}
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

PAIRS=${PAIRS:-22000000}
POOL='workload:pool_get(size=1)=ret,pool_put(ptr=1)'
declare -A taken

# The workload as COMMAND: it has heaptap's streams, so it is asked like any other.
command_of() { # OPTION...
	end "$WORKLOAD_PID"
	coproc WORKLOAD { LD_LIBRARY_PATH=$scratch exec "$OUT/heaptap" record -q -o "$scratch/out" --force --alloc "$POOL" \
		"$@" -- "$OUT/bench/workload"; }
}

measure() { # NAME PAIRS
	ask pairs 11000 >/dev/null
	taken[$1 one]+=" $(ask pairs "$2")"
	taken[$1 two]+=" $(ask parallel 2 "$(($2 / 4))")"
	taken[$1 pool]+=" $(ask pools "$2")"
}

# Its input ends, and so does it.
leave_command() {
	eval "exec ${WORKLOAD[1]}>&-"
	wait "$WORKLOAD_PID" 2>/dev/null || :
	WORKLOAD_PID=''
}

held() { # NAME COUNT
	ask hold "$2" >/dev/null
	taken[$1 $2]+=" $(ask pairs "$PAIRS")"
}

for ((round = 0; round < ROUNDS; round++)); do
	workload
	measure untraced "$PAIRS"
	held untraced 64
	held untraced 1000
	held untraced 100000
	command_of --inline
	measure inline "$PAIRS"
	held inline 64
	held inline 1000
	held inline 100000
	leave_command
	command_of
	measure probes 110000
	leave_command
done

middle() { # NAME
	# shellcheck disable=SC2086
	median ${taken[$1]}
}

# The median of the rounds' differences: the machine's own speed changes from one round to the next.
more() { # NAME: of inline than of untraced
	# shellcheck disable=SC2046,SC2086
	median $(paste -d- <(printf '%s\n' ${taken[inline $1]}) <(printf '%s\n' ${taken[untraced $1]}) |
		awk -F- '{ print $1 - $2 }')
}

show() { # NAME WORDS
	# shellcheck disable=SC2086
	printf '  %-60s %10s ns     (%s)\n' "$2" "$(number "$(middle "$1")")" "$(spread ${taken[$1]})"
}

echo "malloc(64) and free, CPU time, median of $ROUNDS rounds (least - greatest):"
show 'untraced one' 'untraced'
show 'inline one' 'record --inline -- COMMAND'
show 'probes one' 'record -- COMMAND'
show 'untraced two' 'untraced, two threads'
show 'inline two' 'record --inline -- COMMAND, two threads'
show 'probes two' 'record -- COMMAND, two threads'
show 'untraced pool' 'a pool in the program, untraced'
show 'inline pool' 'record --inline --alloc POOL -- COMMAND'
show 'probes pool' 'record --alloc POOL -- COMMAND'
for count in 64 1000 100000; do
	show "untraced $count" "untraced, $count large blocks more"
	show "inline $count" "record --inline, these sampled and live"
done
figure 'inline: more than untraced' "$(more one)" ns '<=' 3
figure 'the same, two threads' "$(more two)" ns '<=' 3
for count in 64 1000 100000; do
	figure "the same, $count live samples" "$(more "$count")" ns '<=' 3
done
figure 'a pool: more than untraced' "$(more pool)" ns '<=' 10
figure 'what probes cost, over what --inline costs' "$(calc "($(middle 'probes one') - $(middle 'untraced one')) / \
	$(more one)")" x '>=' 300

echo 'true(1), from start to end, of one shell:'
# shellcheck disable=SC2016
spawn() { # NAME COMMAND...
	local name=$1
	shift
	taken[$name]+=" $("$@" sh -c 'i=0; s=$(date +%s%N); while [ $i -lt 300 ]; do /bin/true; i=$((i + 1)); done
		echo $((($(date +%s%N) - s) / 300000))')"
}
for ((round = 0; round < ROUNDS; round++)); do
	spawn 'plain start' env
	spawn 'inline start' "$OUT/heaptap" record -q -o "$scratch/out" --force --follow --inline --
	spawn 'probes start' "$OUT/heaptap" record -q -o "$scratch/out" --force --follow --
done
figure 'untraced' "$(middle 'plain start')" us
figure '--follow --inline' "$(middle 'inline start')" us
figure '--follow' "$(middle 'probes start')" us
finish
