#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Programs at work, untraced, under probes, and sampled inside their own processes: redis-server (jemalloc) by SET and GET in
# pipelines of 16, its throughput and its CPU for a request; and make with gcc on 100 files, with all its children. Beside them, where
# they are installed: heaptrack, which preloads its own library, and the samplers that jemalloc and tcmalloc have themselves, at the same
# interval. ROUNDS alternating rounds; medians of the rounds' ratios. LOADS (redis build): what is measured.
ROUNDS=${ROUNDS:-11}
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

REQUESTS=${REQUESTS:-300000}
FILES=${FILES:-100}
LOADS=${LOADS:-redis build}
declare -A taken

# One server after the other, on files that nobody else has probes in.
libraries=/lib/x86_64-linux-gnu
cp "$libraries/libjemalloc.so.2" "$scratch/"
tcmalloc=''
[ ! -e "$libraries/libtcmalloc.so.4" ] || { cp "$libraries/libtcmalloc.so.4" "$scratch/" && tcmalloc=$scratch/libtcmalloc.so.4; }
ln -s /usr/bin/redis-check-rdb "$scratch/redis-server"
socket=$scratch/socket

serve() { # COMMAND...: behind which the server is started
	LD_LIBRARY_PATH=$scratch "$@" "$scratch/redis-server" --port 0 --unixsocket "$socket" --save '' --pidfile \
		"$scratch/pid" --daemonize no >/dev/null 2>&1 &
	tracer=$!
	for ((tries = 0; tries < 1000; tries++)); do
		[ ! -s "$scratch/pid" ] || ! redis-cli -s "$socket" ping >/dev/null 2>&1 || return 0
		sleep 0.01
	done
	echo "$0: redis-server does not answer" >&2
	return 1
}

load() { # NAME TEST
	local before after rate
	before=$(cpu_ns "$(<"$scratch/pid")")
	rate=$(redis-benchmark -s "$socket" -t "$2" -P 16 -d 100 -r 100000 -n "$REQUESTS" --csv | awk -F'"' 'END { print $4 }')
	after=$(cpu_ns "$(<"$scratch/pid")")
	taken[$1 $2 rate]+=" $rate"
	taken[$1 $2 cpu]+=" $(calc "($after - $before) / $REQUESTS")"
}

leave_server() {
	redis-cli -s "$socket" shutdown nosave >/dev/null 2>&1 || :
	wait "$tracer" || :
	tracer=''
	rm -f "$scratch/pid"
}

redis() { # NAME COMMAND...
	local name=$1
	shift
	serve "$@"
	load "$name" set
	load "$name" get
	leave_server
}

# It takes its own time: heaptap has names to find and files to write when it has ended. Beside it, in ms, its own CPU and its
# children's, and that of heaptap (its parent) and of the process that holds the links meanwhile.
cat >"$scratch/build" <<'EOF_BUILD'
#!/bin/bash
tracer_ms() {
	local sum=0 pid stat fields
	for pid in "$PPID" $(cat /proc/"$PPID"/task/*/children); do
		[ "$pid" != $$ ] && read -r stat <"/proc/$pid/stat" || continue
		read -ra fields <<<"${stat##*) }"
		sum=$((sum + fields[11] + fields[12]))
	done
	echo $((sum * 1000 / $(getconf CLK_TCK)))
}
TIMEFORMAT='%U %S'
before=$(tracer_ms) start=$(date +%s%N)
cpu=$({ time make -s -j2 -C "$1" >&2; } 2>&1 | tail -1)
end=$(date +%s%N) after=$(tracer_ms)
echo "$((end - start)) $(awk '{ print 1000 * ($1 + $2) }' <<<"$cpu") $((after - before))"
EOF_BUILD
chmod +x "$scratch/build"

build() { # NAME COMMAND...
	local name=$1 took tree tracer_took
	shift
	rm -f "$scratch"/source/*.o
	read -r took tree tracer_took <<<"$(LD_LIBRARY_PATH=$scratch "$@" "$scratch/build" "$scratch/source" 2>/dev/null)"
	taken[$name build]+=" $took"
	taken[$name tree]+=" $tree"
	taken[$name tracer]+=" $tracer_took"
	taken[$name cpu]+=" $(calc "$tree + $tracer_took")"
}

mkdir "$scratch/source"
for ((file = 0; file < FILES; file++)); do
	printf '#include <stdio.h>\n#include <stdlib.h>\nint f%d(int n) { char *p = malloc(n); return p ? printf("%%p", p) : %d; }\n' \
		"$file" "$file" >"$scratch/source/$file.c"
done
# shellcheck disable=SC2016
printf 'all: $(patsubst %%.c,%%.o,$(wildcard *.c))\n%%.o: %%.c ; gcc -O2 -c $< -o $@\n' >"$scratch/source/Makefile"

record=("$OUT/heaptap" record -q -o "$scratch/out" --force)
build_all() {
	build untraced env
	build inline "${record[@]}" --follow --inline --
	build probes "${record[@]}" --follow --plain-copies --
}

redis_all() {
	redis untraced env
	redis inline "${record[@]}" --inline --
	redis probes "${record[@]}" --
	! command -v heaptrack >/dev/null || redis heaptrack heaptrack -r -o "$scratch/track"
	redis jemalloc-sampling env MALLOC_CONF=prof:true,lg_prof_sample:19
	if [ -n "$tcmalloc" ]; then
		redis tcmalloc env LD_PRELOAD="$tcmalloc"
		redis tcmalloc-sampling env LD_PRELOAD="$tcmalloc" TCMALLOC_SAMPLE_PARAMETER=524288
	fi
}

for ((round = 0; round < ROUNDS; round++)); do
	for load in $LOADS; do
		"${load}_all"
	done
	rm -rf "$scratch"/track* "$scratch/out"
done

# The median of the rounds' ratios.
ratio() { # NAME WHAT [OF]
	# shellcheck disable=SC2046,SC2086
	median $(paste -d' ' <(printf '%s\n' ${taken[$1 $2]}) <(printf '%s\n' ${taken[${3:-untraced} $2]}) | awk '{ print $1 / $2 }')
}

show() { # NAME WHAT WORDS UNIT
	# shellcheck disable=SC2086
	figure "$3: $1" "$(median ${taken[$1 $2]})" "$4"
}

names='untraced inline probes jemalloc-sampling'
[ -z "${taken[heaptrack set rate]:-}" ] || names+=' heaptrack'
[ -z "$tcmalloc" ] || names+=' tcmalloc tcmalloc-sampling'
tests='set get'
[[ " $LOADS " == *' redis '* ]] || tests=''
for test in $tests; do
	for name in $names; do
		show "$name" "$test rate" "redis, $test" 1/s
		show "$name" "$test cpu" "redis, $test, CPU of the server for a request" ns
	done
	figure "redis, $test: inline, of the untraced throughput" "$(ratio inline "$test rate")" x '>=' 0.97
	figure "redis, $test: inline, CPU for a request" "$(ratio inline "$test cpu")" x '<=' 1.05
	for name in $names; do
		case $name in
		untraced | inline | tcmalloc) ;;
		tcmalloc-sampling)
			figure "redis, $test: $name, of the throughput with tcmalloc" "$(ratio "$name" "$test rate" tcmalloc)" x
			figure "redis, $test: $name, CPU for a request, of tcmalloc's" "$(ratio "$name" "$test cpu" tcmalloc)" x
			;;
		*)
			figure "redis, $test: $name, of the untraced throughput" "$(ratio "$name" "$test rate")" x
			figure "redis, $test: $name, CPU for a request" "$(ratio "$name" "$test cpu")" x
			;;
		esac
	done
done
[[ " $LOADS " == *' build '* ]] || finish
for name in untraced inline probes; do
	# shellcheck disable=SC2086
	figure "make, gcc on $FILES files: $name, CPU of its processes" "$(median ${taken[$name tree]})" ms
	# shellcheck disable=SC2086
	figure "make, gcc on $FILES files: $name, CPU of heaptap meanwhile" "$(median ${taken[$name tracer]})" ms
	# shellcheck disable=SC2086
	figure "make, gcc on $FILES files: $name" "$(calc "$(median ${taken[$name build]}) / 1e9")" s
done
figure 'make: --follow --inline, of untraced' "$(ratio inline build)" x '<=' 1.03
figure 'make: --follow --inline, all CPU, of untraced' "$(ratio inline cpu)" x
figure 'make: --follow --plain-copies, of untraced' "$(ratio probes build)" x
finish
