#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What heaptap itself uses, beside an older build of it: both trace at the same time, each a workload of its own, so that what else a busy
# machine does is the same for both. CPU, wake-ups, and the ratio. The median of ratios is over ROUNDS rounds of SECONDS_EACH seconds.
#
#   OLD=path/to/older/build bench/self_beside.sh
#
# Without OLD there is nothing to compare with. The script says so and succeeds, so that `make bench` can run every script.
if [ -z "${OLD:-}" ]; then
	echo '  no older build to compare with: name one with OLD=path/to/older/build'
	exit 0
fi
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

RATE=${RATE:-20000} SECONDS_EACH=${SECONDS_EACH:-10}

switches() { # PID: how often it has gone to sleep
	awk '$1 == "voluntary_ctxt_switches:" { print $2 }' "/proc/$1/status"
}

# In a shell of its own: CPU in percent, and wake-ups a second.
one() { # PROGRAM NAME
	local used slept since took
	scratch=$scratch/$2 tracer='' WORKLOAD_PID=''
	mkdir "$scratch" && cp -r "$libc" "$(dirname "$libc")/tracer" "$scratch"
	workload
	trace ' tracing ' "$1" record -o "$scratch/out" --force -p "$WORKLOAD_PID"
	sleep 3 # it is brisk at first
	used=$(cpu_ns "$tracer") slept=$(switches "$tracer") since=$(date +%s%N)
	ask paced "$RATE" "$SECONDS_EACH" >/dev/null
	took=$(calc "$(date +%s%N) - $since")
	echo "$(calc "100 * ($(cpu_ns "$tracer") - $used) / $took") $(calc "1e9 * ($(switches "$tracer") - $slept) / $took")"
	untrace
}

before=() now=() before_wakes=() now_wakes=() ratios=()
for ((round = 0; round < ROUNDS; round++)); do
	(trap leave EXIT; one "$OLD/heaptap" other) >"$scratch/other.result" &
	beside=$!
	(trap leave EXIT; one "$OUT/heaptap" this) >"$scratch/this.result"
	wait "$beside"
	read -r share wakes <"$scratch/other.result"
	before+=("$share") before_wakes+=("$wakes")
	read -r own_share wakes <"$scratch/this.result"
	now+=("$own_share") now_wakes+=("$wakes") ratios+=("$(calc "$own_share / $share")")
done
figure "the older one's CPU, median of $ROUNDS rounds" "$(median "${before[@]}")" %
figure "this one's CPU ($(spread "${now[@]}"))" "$(median "${now[@]}")" %
figure "the older one's wake-ups a second" "$(median "${before_wakes[@]}")" ''
figure "this one's wake-ups a second" "$(median "${now_wakes[@]}")" ''
figure "CPU, this one / the older one ($(spread "${ratios[@]}"))" "$(median "${ratios[@]}")" ''
finish
