#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The cost to an untraced process while another process is traced: malloc and free; fork, exit and wait; the same with an exec.
# Malloc and free also while a command and its children are traced, with a copy of libc, and without one for comparison.
# Then what the copies cost a command at its start.
# Alternating, medians of ROUNDS rounds. TOLERANCE: the ratio that noise makes of equal costs.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

TOLERANCE=${TOLERANCE:-1.1}
declare -A taken

measure() { # WHEN
	taken[pairs $1]+=" $(ask pairs 4400000)"
	taken[fork $1]+=" $(ask fork 2500)"
	taken[exec $1]+=" $(ask exec 1000)"
}

compare() { # COMMAND WORDS
	local without with
	# shellcheck disable=SC2086
	without=$(median ${taken[$1 without]}) with=$(median ${taken[$1 with]})
	echo "$2:"
	figure 'nothing traced' "$without" ns
	figure 'another process traced' "$with" ns
	figure 'ratio' "$(calc "$with / $without")" x '<=' "$TOLERANCE"
}

LD_LIBRARY_PATH=$scratch sleep infinity &
traced=$!
workload
# Where a child starts decides half of what a fork costs: always beside its parent.
cpu=$(taskset -cp $$ | sed 's/.*: //; s/[,-].*//')
taskset -cp "$cpu" "$WORKLOAD_PID" >/dev/null
for ((round = 0; round < ROUNDS; round++)); do
	measure without
	heaptap -p "$traced"
	measure with
	untrace
done
end "$traced"
compare pairs 'malloc(64) and free'
compare fork 'fork, exit and wait'
compare exec 'fork, exec of true(1), exit and wait'

# The command's libc is the workload's: COMMAND ends, and heaptap with it, when its sleep does.
follow() { # [OPTION...]
	trace ' tracing ' env LD_LIBRARY_PATH="$scratch" "$OUT/heaptap" record -o "$scratch/out" --force --follow "$@" -- \
		sleep infinity
}

unfollow() {
	pkill -P "$tracer"
	wait "$tracer" || :
	tracer=''
}

for ((round = 0; round < ROUNDS; round++)); do
	taken[follow without]+=" $(ask pairs 4400000)"
	follow
	taken[follow with]+=" $(ask pairs 4400000)"
	unfollow
	follow --shared-mounts
	taken[shared]+=" $(ask pairs 110000)"
	unfollow
done
compare follow 'malloc(64) and free beside a command and its children'
# shellcheck disable=SC2086
figure 'the same with --shared-mounts' "$(median ${taken[shared]})" ns
{ read -r plain && read -r copied && read -r sampler; } < <("$OUT/bench/start" true)
echo 'to where a command waits for its exec:'
figure 'as it is' "$plain" ms
figure 'with copies' "$copied" ms
figure 'with copies that have the sampler' "$sampler" ms
finish
