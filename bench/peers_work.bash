# SPDX-License-Identifier: GPL-2.0-or-later
#
# The work that peers.sh measures, to be sourced after measure.bash: servers that are asked from outside, and programs that say themselves
# what they took, so that neither a profiler's start nor its end counts. For each: start_WORK, measure_WORK and stop_WORK.
#
# start_WORK starts it behind the words in `behind` and sets `target` and `allocator`, the file that has its malloc. measure_WORK prints
# lines of a row's name, and of nanoseconds that a unit of work took and that the process used of the processors. `less` divides the work.
# What the pieces share has its names in several files.
# shellcheck shell=bash disable=SC2034,SC2154

less=1
units() { # FULL
	echo $((($1 + less - 1) / less))
}

now_ns() {
	date +%s%N
}

# --- the pair loop -------------------------------------------------------------------------------------------------------
start_pair() {
	workload_behind=("${behind[@]}")
	workload
	ask pairs 11 >/dev/null || return 1
	target=$WORKLOAD_PID allocator=$libc
}

# It never waits, so the time of the processor is all that it takes.
measure_pair() { # ROW
	local cpu
	ask pairs 1100 >/dev/null
	cpu=$(ask pairs "$(units 2000000)") && echo "$1 $cpu $cpu"
}

# It ends when there is nothing more to read, and so does what it was started behind.
stop_pair() {
	eval "exec ${WORKLOAD[1]}>&-"
	wait "$WORKLOAD_PID" 2>/dev/null || :
	WORKLOAD_PID=''
}

# --- programs that are started for it --------------------------------------------------------------------------------------
# It waits at a gate before it is executed, so that what attaches sees all of it, and says so.
start_batch() { # COMMAND...
	local tries
	rm -f "$scratch/gate"
	mkfifo "$scratch/gate"
	# shellcheck disable=SC2016
	LD_LIBRARY_PATH=$scratch bash -c 'echo waiting >&2; read -r _ <"$1"; shift; exec "$@"' sh "$scratch/gate" "${behind[@]}" "$@" \
		>"$scratch/answer" 2>"$scratch/said_by_work" </dev/null &
	target=$! allocator=$libc
	for ((tries = 0; tries < 1000; tries++)); do
		[ ! -s "$scratch/said_by_work" ] || return 0
		sleep 0.01
	done
	return 1
}

release() {
	echo >"$scratch/gate"
	wait "$target"
}

# They say "cost" and both figures for a unit.
measure_batch() { # ROW
	release || return 1
	awk -v row="$1" '$1 == "cost" { print row, $2, $3; found = 1 } END { exit !found }' "$scratch/answer"
}

stop_batch() {
	end "$target"
}

start_perl() {
	# shellcheck disable=SC2016
	start_batch /usr/bin/perl -MTime::HiRes=clock_gettime,CLOCK_MONOTONIC,CLOCK_PROCESS_CPUTIME_ID -e '
		sub work { my %h; $h{$_ % 5000} = join ",", map { "item $_" } $_ .. $_ + 4 for 1 .. $_[0]; scalar %h }
		work(5000);
		my ($t, $c) = (clock_gettime(CLOCK_MONOTONIC), clock_gettime(CLOCK_PROCESS_CPUTIME_ID));
		work($ARGV[0]);
		printf "cost %.1f %.1f\n", 1e9 * (clock_gettime(CLOCK_MONOTONIC) - $t) / $ARGV[0],
			1e9 * (clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $c) / $ARGV[0];' "$(units 500000)"
}
measure_perl() { measure_batch perl; }
stop_perl() { stop_batch; }

# All of its objects by malloc, so that each profiler has the same calls to see.
start_python() {
	local code='
import json, sys, time
def work(n):
    for i in range(n):
        text = json.dumps({"id": i, "items": [{"name": "item %d" % j, "price": j * 1.5, "tags": ["a", "b", str(j)]} for j in range(20)]})
        assert len(json.loads(text)["items"]) == 20
work(50)
n, t, c = int(sys.argv[1]), time.perf_counter_ns(), time.process_time_ns()
work(n)
print("cost", (time.perf_counter_ns() - t) / n, (time.process_time_ns() - c) / n, flush=True)'
	PYTHONMALLOC=malloc start_batch "${python[@]}" -c "$code" "$(units 10000)"
}
measure_python() { measure_batch python; }
stop_python() { stop_batch; }

start_node() {
	start_batch /usr/bin/node -e '
		function work(n) {
			const kept = [];
			for (let i = 0; i < n; i++) {
				const text = JSON.stringify({id: i, items: Array.from({length: 20}, (_, j) => ({name: "item " + j, price: j * 1.5}))});
				kept[i % 1000] = Buffer.from(JSON.stringify(JSON.parse(text)).repeat(8));
			}
		}
		work(500);
		const n = +process.argv[1], t = process.hrtime.bigint(), c = process.cpuUsage();
		work(n);
		const u = process.cpuUsage(c);
		console.log("cost", Number(process.hrtime.bigint() - t) / n, (u.user + u.system) * 1000 / n);' "$(units 40000)"
}
measure_node() { measure_batch node; }
stop_node() { stop_batch; }

start_sqlite() {
	local count
	count=$(units 400000)
	cat >"$scratch/work.sql" <<-END
		.timer on
		CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price REAL);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $count)
			INSERT INTO item SELECT i, printf('item %d', i * 7919 % $count), i * 1.5 FROM n;
		CREATE INDEX by_name ON item(name);
		SELECT sum(length(names)) FROM (SELECT group_concat(upper(name)) AS names FROM item GROUP BY id / 10);
	END
	start_batch /usr/bin/sqlite3 -batch -init "$scratch/work.sql" :memory:
}
measure_sqlite() {
	release || return 1
	awk -v n="$(units 400000)" '/^Run Time:/ { real += $4; cpu += $6 + $8 }
		END { if (!cpu) exit 1; print "sqlite", real * 1e9 / n, cpu * 1e9 / n }' "$scratch/answer"
}
stop_sqlite() { stop_batch; }

# The compiler proper, one process, which every profiler can be at: of gcc, cc1 is a child.
start_gcc() {
	local count
	count=$(units 2000)
	[ -e "$scratch/$count.i" ] || awk -v n="$count" 'BEGIN { for (i = 0; i < n; i++)
		printf "int f%d(int n, int *p) { int s = 0; for (int i = 0; i < n; i++) s += p[i] * %d; return s ? s / (n + 1) : f%d(n - 1, p); }\n", i, i, i }' \
		>"$scratch/$count.i"
	start_batch "$(gcc --print-prog-name=cc1)" -quiet -fpreprocessed -O2 -ftime-report "$scratch/$count.i" -o /dev/null
}
measure_gcc() {
	release || return 1
	awk -v n="$(units 2000)" '$1 == "TOTAL" { print "gcc", $5 * 1e9 / n, ($3 + $4) * 1e9 / n; found = 1 } END { exit !found }' \
		"$scratch/said_by_work"
}
stop_gcc() { stop_batch; }
