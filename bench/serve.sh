#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# heaptap serve under load: one process with 131 072 stacks and 1 000 000 live samples, which goes on allocating and freeing up to 500 000
# times a second, while 50 clients ask for its heap profile for SECONDS_LOADED (60). What is lost, what clients get, what it takes; for how
# long the thread that empties the ring is away, with and without them; and the time of a single answer beside that of a Go program with the
# same stacks and blocks, for its own profile.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

SECONDS_LOADED=${SECONDS_LOADED:-60}
tracing=$scratch/tracing
instance=$tracing/instances/heaptap-bench-$$
trap 'rmdir "$instance" 2>/dev/null || :; umount "$tracing" || :; leave' EXIT
mkdir "$tracing"
mount -t tracefs none "$tracing"
DEPTH=17 LIVE=1000000 BYTES=512 INTERVAL=64

coproc SITES { exec "$OUT/bench/sites" $DEPTH $LIVE $BYTES; }
WORKLOAD_PID=$SITES_PID
trace 'serving on' "$OUT/heaptap" serve -R $INTERVAL --listen 127.0.0.1:0 -p "$SITES_PID"
url=$(grep -o 'http://[0-9.:]*' "$scratch/said" | head -n 1)
heap=$url/debug/pprof/heap

pairs() { # how many so far
	echo >&"${SITES[1]}"
	read -r count <&"${SITES[0]}"
	echo "$count"
}

# Over all causes; those of which there are any are said.
lost() {
	curl -s "$url/metrics" | awk 'index($0, "heaptap_lost_total{") == 1 { causes++; sum += $2; if ($2) print >"/dev/stderr" }
		END { if (!causes) exit 1; print sum }'
}

spent() { # seconds of CPU so far, of all threads that heaptap has had
	awk -v tick="$(getconf CLK_TCK)" '{ print ($14 + $15) / tick }' "/proc/$tracer/stat"
}

since() { # PAIRS TIME: pairs a second since there were so many, then
	calc "($(pairs) - $1) / ($EPOCHREALTIME - $2)"
}

away() { # SECONDS: from each wait for events of the draining thread to its next, in ms
	mkdir "$instance"
	echo "$tracer" >"$instance/set_event_pid"
	echo 1 >"$instance/events/syscalls/sys_exit_poll/enable"
	sleep "$1"
	echo 0 >"$instance/events/syscalls/sys_exit_poll/enable"
	awk '/sys_poll/ { for (i = 1; $i !~ /^[0-9]+\.[0-9]+:$/; i++); if (last) print ($i - last) * 1000; last = $i + 0 }' "$instance/trace" | sort -g
	rmdir "$instance"
}

mean() { awk '{ sum += $1 } END { print sum / NR }'; }

echo >&"${SITES[1]}"
read -r _ <&"${SITES[0]}"
curl -s -o /dev/null "$heap?gc=1"
count=$(pairs) begun=$EPOCHREALTIME
away 20 >"$scratch/away_alone"
alone=$(since "$count" "$begun")
before=$(spent) count=$(pairs) begun=$EPOCHREALTIME
# Killed at its end, it must have written line by line.
timeout "$SECONDS_LOADED" stdbuf -oL curl -s -Z --parallel-immediate --parallel-max 50 -o /dev/null -w '%{http_code} %{time_total}\n' \
	"$heap?n=[1-10000000]" >"$scratch/answers" 2>/dev/null &
load=$!
sleep 10
away 20 >"$scratch/away_loaded"
wait "$load" || :
loaded=$(since "$count" "$begun") after=$(spent) lost=$(lost)
figure "50 clients for $SECONDS_LOADED s: answers" "$(grep -c '^200 ' "$scratch/answers" || :)" ''
figure 'answers that are no 200 or 503' "$(grep -vc '^200 \|^503 \|^000 ' "$scratch/answers" || :)" '' '<=' 0
mapfile -t times < <(awk '$1 == 200 { print $2 }' "$scratch/answers")
figure 'time to an answer among 50, median' "$(median "${times[@]}")" s
figure 'events lost, the sum of heaptap_lost_total' "$lost" '' '<=' 0
figure "the target's pairs a second, without clients" "$alone" ''
figure 'the same with them' "$loaded" ''
figure 'the same, of those without' "$(calc "$loaded / $alone")" x
before_ms=$(mean <"$scratch/away_alone") after_ms=$(mean <"$scratch/away_loaded")
figure 'the ring is emptied every, without clients' "$before_ms" ms
figure 'the same with them, of that' "$(calc "$after_ms / $before_ms")" x '<=' 1.01
figure 'the longest time between two, without clients' "$(tail -n 1 "$scratch/away_alone")" ms
figure 'the same with them' "$(tail -n 1 "$scratch/away_loaded")" ms
figure "heaptap's processors" "$(calc "($after - $before) / $SECONDS_LOADED")" ''
figure 'largest resident memory of heaptap' "$(awk '/^VmHWM/ { print $2 / 1024 }' "/proc/$tracer/status")" MiB

: >"$scratch/go" # the shell reads it below, perhaps before the program has been started
"$OUT/bench/sites_go" $DEPTH $LIVE $BYTES >"$scratch/go" &
go=$!
for ((tries = 0; tries < 3000 && ! $(wc -l <"$scratch/go"); tries++)); do
	sleep 0.1
done
# Snapshots have a share of the draining thread's time: after each, the next may wait for 10 seconds.
for ((round = 0; round < ROUNDS; round++)); do
	sleep 11
	ours+=" $(curl -s -o /dev/null -w '%{time_total}' "$heap")"
	theirs+=" $(curl -s -o /dev/null -w '%{time_total}' "http://$(<"$scratch/go")/debug/pprof/heap")"
done
end "$go"
figure 'a single answer' "$(median $ours)" s
figure "a Go program's, of its own" "$(median $theirs)" s
figure 'ours of theirs' "$(calc "$(median $ours) / $(median $theirs)")" x '<=' 1.5
untrace
finish
