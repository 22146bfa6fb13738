#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A node with 200 pods and 2000 processes that allocate, 20 of which a second end and are replaced: what `heaptap push` of all of them takes
# of the processors and of memory, over SECONDS_OF_PUSH (90), while a profile of each pod goes to a store every 15 seconds. CPU time, so that
# other work on the machine disturbs little. Where traps are slow, the processes want more than the machine has: they run behind heaptap,
# and a line says how much of what they were to allocate they did. Fewer of everything: PODS=10 PROCESSES=100 CHURN=5.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

SECONDS_OF_PUSH=${SECONDS_OF_PUSH:-90}
PODS=${PODS:-200}
PROCESSES=${PROCESSES:-2000}
CHURN=${CHURN:-20}
mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
group=${mount:?}/heaptap-bench-$$

empty() {
	local tries
	end "${NODE_PID-}" # it would go on replacing those that end
	for ((tries = 0; tries < 6000; tries++)); do
		[ -d "$group" ] || return 0
		echo 1 >"$group/cgroup.kill"
		! find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || return 0
		sleep 0.01
	done
	echo "$0: processes are left in $group" >&2
}
# timeout(1) ends a whole group of processes, this one twice.
trap 'trap "" INT TERM; end "$tracer"; tracer=""; empty; leave' EXIT

# What heaptap and the process that holds its links took, with what has ended of both.
cpu_of_tracer() { # in ticks
	local pid
	for pid in "$tracer" $(pgrep -P "$tracer"); do
		cat "/proc/$pid/stat"
	done | awk '{ sub(/.*\) /, ""); sum += $12 + $13 + $14 + $15 } END { print sum }'
}

rss_mib() { # FIELD
	calc "$(awk -v field="$1:" '$1 == field { print $2 }' "/proc/$tracer/status") / 1024"
}

beats() { # how often one of the processes has allocated
	od -An -tu8 "$scratch/beats" | tr -d ' '
}

mkdir "$group"
head -c 8 /dev/zero >"$scratch/beats"
coproc NODE { LD_LIBRARY_PATH=$scratch exec nice -n 20 "$OUT/bench/pods" "$group" "$PODS" "$PROCESSES" "$CHURN" "$scratch/beats"; }
said=''
read -r -t 600 said <&"${NODE[0]}" || :
[ "$said" = ready ] || { echo "$0: the processes did not start" >&2; exit 1; }
start_store
trace ' tracing ' "$OUT/heaptap" push --every 15 --to "pyroscope+http://127.0.0.1:$port" --cgroup "${group#"$mount"}" "$@"
sleep 5 # what only the beginning takes
cpu=$(cpu_of_tracer) beats=$(beats) from=${EPOCHREALTIME/[^0-9]/} ticks=$(getconf CLK_TCK)
most=0 between=0
for ((second = 0; second < SECONDS_OF_PUSH; second++)); do
	sleep 1
	now=$(rss_mib RssAnon)
	most=$(calc "($now > $most ? $now : $most)")
	[ "$second" -lt 20 ] || between=$(calc "($between == 0 || $now < $between ? $now : $between)")
done
took=$((${EPOCHREALTIME/[^0-9]/} - from))
share=$(calc "1e8 * ($(cpu_of_tracer) - $cpu) / $ticks / $took")
achieved=$(calc "1e8 * ($(beats) - $beats) / (2 * $PROCESSES) / $took")
maps=$(map_mib "$tracer")
untrace

echo "$PROCESSES processes in $PODS pods, $CHURN a second replaced, pushed every 15 s for $SECONDS_OF_PUSH s:"
figure 'what they allocated, of what they were to' "$achieved" % '>=' 90
figure "heaptap's CPU time, of one core" "$share" % '<=' 3
figure "heaptap's memory (RssAnon), the most" "$most" MiB
figure '  between two pushes, the least' "$between" MiB
figure 'ring and BPF maps (memlock)' "$maps" MiB
figure 'both' "$(calc "$most + $maps")" MiB '<=' 128
figure 'series that the store has' "$(store_number labels)" '' '>=' "$PODS"
figure 'profiles that it took' "$(store_number profiles profiles)" '' '>=' "$((PODS * 2))"
figure 'profiles that it refused' "$(store_number refused)" '' '<=' 0
sed -n '/heaptap: /p' "$scratch/said"
finish
