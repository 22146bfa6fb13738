#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a malloc(64) with its free costs when COMMAND is sampled inside its own process (--inline), beside the same untraced and
# under probes, on copies of libc that nobody else has probes in: one thread, and with many live samples; two threads at once; and what
# a pair of a program's own pool costs. The paths alone, without samples, on a copy of libc with the sampler in it that nobody traces: one
# thread, two, and two processes of one thread each, which share nothing that is written to. Then what the copies cost at a start.
# ROUNDS alternating rounds, medians.
#
# A virtual machine's speed changes between states, by a half and within seconds. So the untraced process and the sampled one live at the same
# time and are asked in turn, WINDOWS times in a round, now the one first and now the other; a difference is that of one window.
ROUNDS=${ROUNDS:-11}
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

PAIRS=${PAIRS:-4400000} # in a window
BATCHES=${BATCHES:-200} # likewise, of those of at_once
WINDOWS=${WINDOWS:-4}
POOL='workload:pool_get(size=1)=ret,pool_put(ptr=1)'
declare -A taken

record=("$OUT/heaptap" record -q -o "$scratch/out" --force)
declare -A pids=() to=() from=()
trap 'for name in "${!pids[@]}"; do end "${pids[$name]}"; done; leave' EXIT

# A workload that `ask_of` asks. The one that has begun first ends last: the other has its streams too.
begin() { # NAME COMMAND...
	local name=$1 ask=$scratch/$1.ask say=$scratch/$1.say input output
	shift
	mkfifo "$ask" "$say"
	LD_LIBRARY_PATH=$scratch "$@" "$OUT/bench/workload" <"$ask" >"$say" &
	pids[$name]=$!
	exec {input}>"$ask" {output}<"$say"
	to[$name]=$input from[$name]=$output
	rm "$ask" "$say"
}

leave_workload() { # NAME: its input ends, and so does it
	local input=${to[$1]} output=${from[$1]}
	exec {input}>&- {output}<&-
	wait "${pids[$1]}" || :
	unset "pids[$1]"
}

ask_of() { # NAME COMMAND [NUMBER...]
	WORKLOAD=("${from[$1]}" "${to[$1]}")
	shift
	ask "$@"
}

# Two that are compared, in turn.
windows() { # WHICH RUN WHAT WORD...: RUN is called with `untraced` or WHICH, and the words
	local order window which run=$2 what=$3
	local orders=("untraced $1" "$1 untraced")
	shift 3
	for ((window = 0; window < WINDOWS; window++)); do
		order=${orders[(window + 1) / 2 % 2]}
		for which in $order; do taken[$which $what]+=" $("$run" "$which" "$@")"; done
	done
}

at_once() { # WHICH WORD...
	local which=$1 place=$scratch tracer=()
	shift
	case $which in
	path) place=$scratch/path ;;
	inline) tracer=("${record[@]}" --inline --) ;;
	probes) tracer=("${record[@]}" --) ;;
	esac
	LD_LIBRARY_PATH=$place "${tracer[@]}" "$OUT/bench/at_once" "$@"
}

# COMMAND's own libc is the one with the sampler.
mkdir "$scratch/path"
LD_LIBRARY_PATH=$scratch "${record[@]}" --inline -- cp "$libc" "$scratch/path/"
! cmp -s "$libc" "$scratch/path/libc.so.6" || { echo "$0: the copy of libc has no sampler in it" >&2; exit 1; }

for ((round = 0; round < ROUNDS; round++)); do
	begin untraced env
	begin inline "${record[@]}" --alloc "$POOL" --inline --
	for which in untraced inline; do ask_of "$which" pairs 11000 >/dev/null; done
	windows inline ask_of one pairs "$PAIRS"
	windows inline ask_of pool pools "$PAIRS"
	for count in 64 1000 100000; do
		for which in untraced inline; do ask_of "$which" hold "$count" >/dev/null; done
		windows inline ask_of "$count" pairs "$PAIRS"
	done
	leave_workload inline
	leave_workload untraced
	windows inline at_once two threads 2 "$BATCHES"
	windows path at_once 'one alone' threads 1 "$BATCHES"
	windows path at_once 'two alone' threads 2 "$BATCHES"
	windows path at_once 'apart alone' processes 2 "$BATCHES"
	begin probes "${record[@]}" --alloc "$POOL" --
	taken[probes one]+=" $(ask_of probes pairs 110000)"
	taken[probes pool]+=" $(ask_of probes pools 110000)"
	leave_workload probes
	taken[probes two]+=" $(at_once probes threads 2 3)"
done

middle() { # NAME
	# shellcheck disable=SC2086
	median ${taken[$1]}
}

# The median of the windows' differences.
more() { # NAME [WHICH]: of inline, or WHICH, than of untraced
	# shellcheck disable=SC2046,SC2086
	median $(paste -d- <(printf '%s\n' ${taken[${2:-inline} $1]}) <(printf '%s\n' ${taken[untraced $1]}) |
		awk -F- '{ print $1 - $2 }')
}

show() { # NAME WORDS
	# shellcheck disable=SC2086
	printf '  %-60s %10s ns     (%s)\n' "$2" "$(number "$(middle "$1")")" "$(spread ${taken[$1]})"
}

echo "malloc(64) and free, CPU time, median of $ROUNDS rounds of $WINDOWS windows (least - greatest):"
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
figure 'the same, two threads at once' "$(more two)" ns '<=' 3
for count in 64 1000 100000; do
	figure "the same, $count live samples" "$(more "$count")" ns '<=' 3
done
figure 'the paths alone, one thread' "$(more 'one alone' path)" ns
figure 'the same, two threads at once' "$(more 'two alone' path)" ns
figure 'the same, two processes at once' "$(more 'apart alone' path)" ns
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
