#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What heaptap itself uses while a process makes 500 000 pairs a second: CPU, memory, and BPF maps.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

RATE=500000 SECONDS_EACH=${SECONDS_EACH:-4}

# Memory of the maps a process holds, each once.
map_bytes() { # PID
	awk 'FNR == 1 { memory = id = "" }
	     $1 == "memlock:" { memory = $2 }
	     $1 == "map_id:" && !seen[$2]++ { sum += memory }
	     END { print sum }' "/proc/$1"/fdinfo/*
}

shares=() made=()
workload
heaptap -p "$WORKLOAD_PID"
for ((round = 0; round < ROUNDS; round++)); do
	used=$(cpu_ns "$tracer") since=$(date +%s%N)
	pairs=$(ask paced "$RATE" "$SECONDS_EACH") took=$(calc "$(date +%s%N) - $since")
	rate=$(calc "$pairs / $took * 1e9")
	share=$(calc "100 * ($(cpu_ns "$tracer") - $used) / $took")
	# On a busy machine the workload falls behind its rate.
	made+=("$rate") shares+=("$(calc "$share * $RATE / $rate")")
done
memory=$(awk '$1 == "RssAnon:" { print $2 / 1024 }' "/proc/$tracer/status")
maps=$(calc "$(map_bytes "$tracer") / 1048576")
untrace

figure 'pairs a second' "$(median "${made[@]}")" ''
figure "heaptap's CPU at $RATE, median of $ROUNDS rounds of $SECONDS_EACH s" "$(median "${shares[@]}")" % '<' 1
figure "heaptap's memory (RssAnon)" "$memory" MiB '<' 32
figure 'ring and BPF maps (memlock)' "$maps" MiB '<=' 64
finish
