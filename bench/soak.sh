#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# heaptap record --all, with a profile of each process every minute, for SOAK_SECONDS (1200) on a machine that builds (make, gcc), serves
# (redis under its benchmark) and churns (short programs whose answers are known), with pauses between. Whether heaptap's memory, maps and
# descriptors stay flat: the most of the second quarter beside the most of the last; whether each ledger balances, what is lost, by cause; and
# whether a build, a request or an answer failed. Each second is a line of $OUT/soak.tsv: seconds, KiB, MiB of maps, descriptors.
#
#   SOAK_SECONDS=7200 bench/soak.sh
ROUNDS=1
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"
# shellcheck source=bench/source_tree.bash
. "$(dirname "$0")/source_tree.bash"
# shellcheck source=bench/redis_servers.bash
. "$(dirname "$0")/redis_servers.bash"

renice -n 0 $$ >/dev/null # not before all else for so long
SOAK_SECONDS=${SOAK_SECONDS:-1200}
series=$OUT/soak.tsv
work=()

stop_work() {
	local pid
	touch "$scratch/enough"
	for pid in "${work[@]}"; do
		wait "$pid" || :
	done
	work=()
}
trap 'stop_work; leave_servers; leave' EXIT

# What is done again and again, with a pause; a line for each time, "ok" or "failed".
again() { # NAME PAUSE COMMAND...
	local name=$1 pause=$2
	shift 2
	renice -n 10 "$BASHPID" >/dev/null
	: >"$scratch/$name.done"
	while [ ! -e "$scratch/enough" ]; do
		if "$@" >"$scratch/$name.said" 2>&1; then
			echo ok
		else
			echo failed
			cat "$scratch/$name.said" >&2
		fi >>"$scratch/$name.done"
		sleep "$pause"
	done
}

build() {
	make -s -j2 -B -C "$scratch/source" && [ "$(find "$scratch/source" -name '*.o' | wc -l)" = 40 ]
}

ask_redis() {
	redis-benchmark -s "$scratch/soaked/socket" -t set,get -P 16 -d 100 -r 100000 -n 100000 --csv &&
		[ "$(redis-cli -s "$scratch/soaked/socket" ping)" = PONG ]
}

# A million bytes each, in ten thousand objects.
run_programs() {
	[ "$(perl -e 'my @kept = map { "x" x 100 } 1 .. 10000; print length join "", @kept')" = 1000000 ] &&
		[ "$(python3 -c 'print(len("".join(["x" * (i % 3 + 99) for i in range(10000)])))')" = 999999 ] &&
		[ "$(printf '%s\n' {10000..1} | sort -n | head -n 1)" = 1 ]
}

count_of() { # NAME RESULT
	grep -c "^$2\$" "$scratch/$1.done" || :
}

most() { # COLUMN QUARTER
	awk -v column="$1" -v from="$(calc "($2 - 1) * $SOAK_SECONDS / 4")" -v to="$(calc "$2 * $SOAK_SECONDS / 4")" \
		'$1 >= from && $1 < to && $column > most { most = $column } END { print most + 0 }' "$series"
}

source_tree "$scratch/source" 40
serve soaked env
heaptap --all --interval 60
cpu=$(cpu_ns "$tracer") from=$EPOCHSECONDS
again builds 2 build &
work+=($!)
again requests 1 ask_redis &
work+=($!)
again programs 0.2 run_programs &
work+=($!)
: >"$series"
while [ $((EPOCHSECONDS - from)) -lt "$SOAK_SECONDS" ]; do
	kill -0 "$tracer" || { cat "$scratch/said" >&2; exit 1; }
	printf '%s\t%s\t%s\t%s\n' "$((EPOCHSECONDS - from))" "$(awk '$1 == "RssAnon:" { print $2 }' "/proc/$tracer/status")" \
		"$(map_mib "$tracer")" "$(find "/proc/$tracer/fd" -type l | wc -l)" >>"$series"
	sleep 1
done
share=$(calc "($(cpu_ns "$tracer") - $cpu) / 1e7 / ($EPOCHSECONDS - $from)")
highest=$(awk '$1 == "VmHWM:" { print $2 / 1024 }' "/proc/$tracer/status")
untrace
run_programs || { echo "$0: programs fail after it" >&2; missed=1; }
stop_work
tail -n 3 "$scratch/said"

echo "record --all --interval 60 for $SOAK_SECONDS s:"
figure 'processes' "$(from_index '[.processes[] | .processes // 1] | add')" ''
for name in builds requests programs; do
	figure "$name done" "$(count_of $name ok)" '' '>' 0
	figure "$name failed" "$(count_of $name failed)" '' '<=' 0
done
figure "heaptap's memory (RssAnon), the most of the second quarter" "$(calc "$(most 2 2) / 1024")" MiB
figure 'the most of the last' "$(calc "$(most 2 4) / 1024")" MiB '<=' "$(calc "$(most 2 2) / 1024 * 1.1")"
figure 'the most resident at any time' "$highest" MiB
figure 'ring and BPF maps (memlock), the most of the second quarter' "$(most 3 2)" MiB
figure 'the most of the last' "$(most 3 4)" MiB '<=' "$(calc "$(most 3 2) * 1.1")"
figure 'descriptors, the most of the second quarter' "$(most 4 2)" ''
figure 'the most of the last' "$(most 4 4)" '' '<=' "$(calc "$(most 4 2) * 1.1")"
figure "heaptap's CPU, of one core" "$share" %
figure 'allocations sampled' "$(from_index .ledger.sampled)" '' '>' 0
figure 'ledgers that do not balance' "$(from_index '[.processes[].ledger | select(.sampled != .freed + .live + .ended + .refused + .lost_ring +
	.lost_stash + .failed + .return_missed + .entry_only + .in_flight)] | length')" '' '<=' 0
figure 'processes of which nothing is known, or that were too many' "$(from_index '.processes_missing + .processes_refused')" '' '<=' 0
echo '  lost, refused or not known, by cause:'
from_index '.ledger | to_entries[] | select(.value > 0 and (.key | test("lost|refused|missed|unseen|late|stack_|unpaired|unknown"))) |
	"    \(.key) \(.value)"'
finish
