#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a malloc(64) with its free costs under heaptap and under the tracers it is compared with: one process, traced by one
# after the other, ROUNDS times; medians.
#
# Where libbpf-tools' memleak is not installed, MEMLEAK_ROOT may name a directory to chroot into that has it.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"
# shellcheck source=bench/debian_root.bash
. "$(dirname "$0")/debian_root.bash"

PAIRS=${PAIRS:-110000}
declare -A taken
claims=()

run() { # NAME COMMAND...: one measurement under one tracer
	local name=$1
	shift
	"$@"
	ask pairs 11000 >/dev/null
	taken[$name]+=" $(ask pairs "$PAIRS")"
	[ -z "$tracer" ] || untrace
}

# heaptap, and what it says itself of a hit's cost.
# shellcheck disable=SC2317
heaptap_attach() {
	heaptap -v -p "$WORKLOAD_PID"
	claims+=("$(sed -n 's/.*a hit costs \([0-9.]*\) us (allocation) and \([0-9.]*\) us (free).*/\1 \2/p' "$scratch/said" |
		awk '{ print ($1 + $2) * 1000 }')")
}

workload
for ((round = 0; round < ROUNDS; round++)); do
	run untraced :
	run floor trace ready "$OUT/bench/bare" floor "$WORKLOAD_PID"
	run heaptap heaptap_attach
	run alloc_only heaptap --alloc-only -p "$WORKLOAD_PID"
	run naive trace ready "$OUT/bench/bare" naive "$WORKLOAD_PID"
	! have_memleak || run memleak memleak "$WORKLOAD_PID" "$libc"
done

declare -A ns
for name in "${!taken[@]}"; do
	# shellcheck disable=SC2086
	ns[$name]=$(median ${taken[$name]})
done

show() { # NAME WORDS
	# shellcheck disable=SC2086
	printf '  %-60s %10s ns     (%s)\n' "$2" "$(number "${ns[$1]}")" "$(spread ${taken[$1]})"
}

echo "malloc(64) and free, CPU time, median of $ROUNDS rounds (least - greatest):"
show untraced 'untraced'
show floor 'floor: empty programs, same sites, no return leg'
show heaptap 'heaptap record -p'
show alloc_only 'heaptap record -p --alloc-only'
show naive 'naive: empty entry, return and free probes'
claim=$(median "${claims[@]}") traps=$(calc "${ns[heaptap]} - ${ns[untraced]}")
figure 'heaptap: its two traps, measured' "$traps" ns
figure 'heaptap: its two traps, as it calibrated itself' "$claim" ns
figure 'calibrated and measured differ by' "$(calc "100 * sqrt(($claim / $traps - 1) ^ 2)")" % '<=' 20
figure 'heaptap / floor' "$(calc "${ns[heaptap]} / ${ns[floor]}")" x '<=' 1.2
if have_memleak; then
	show memleak 'libbpf-tools memleak -p'
	figure 'memleak / heaptap' "$(calc "${ns[memleak]} / ${ns[heaptap]}")" x '>=' 7
	figure 'naive / heaptap' "$(calc "${ns[naive]} / ${ns[heaptap]}")" x
else
	echo '  libbpf-tools memleak is not at hand: naive probes stand for it'
	figure 'naive / heaptap' "$(calc "${ns[naive]} / ${ns[heaptap]}")" x '>=' 7
fi
finish
