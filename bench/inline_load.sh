#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Programs at work, untraced, under probes, and sampled inside their own processes: redis-server (jemalloc) by SET and GET in
# pipelines of 16, its throughput and its CPU for a request, started with the sampler and given it while it ran; and make with gcc on 100 files, with all its children. Beside them, where
# they are installed: heaptrack, which preloads its own library, and the samplers that jemalloc and tcmalloc have themselves, at the same
# interval. ROUNDS alternating rounds; medians of the rounds' ratios, of redis with their standard errors. LOADS (redis build): what is
# measured.
#
# Two redis-servers of the same kind differ by 5 to 20 %, as their memory happens to lie, and one differs from itself by as much when
# other work wants the processors. So each round has two new servers, one untraced, which live at the same time: when all keys are there,
# they are asked in turn, WINDOWS times each, now the one first and now the other.
ROUNDS=${ROUNDS:-11}
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"
# shellcheck source=bench/source_tree.bash
. "$(dirname "$0")/source_tree.bash"
# shellcheck source=bench/redis_servers.bash
. "$(dirname "$0")/redis_servers.bash"

REQUESTS=${REQUESTS:-100000} # in a window
WINDOWS=${WINDOWS:-4}
FILES=${FILES:-100}
LOADS=${LOADS:-redis build}
declare -A taken

libraries=/lib/x86_64-linux-gnu
tcmalloc=''
[ ! -e "$libraries/libtcmalloc.so.4" ] || { cp "$libraries/libtcmalloc.so.4" "$scratch/" && tcmalloc=$scratch/libtcmalloc.so.4; }
trap 'leave_servers; leave' EXIT

window() { # WHICH TEST
	local before rate
	before=$(cpu_ns "$(<"$scratch/$1/pid")")
	rate=$(ask_server "$1" "$2")
	window_s[$1 $2]+=" $(calc "$REQUESTS / $rate")"
	window_ns[$1 $2]+=" $(calc "$(cpu_ns "$(<"$scratch/$1/pid")") - $before")"
}

sum() { # NUMBER...
	printf '%s\n' "$@" | awk '{ sum += $1 } END { printf "%.9g\n", sum }'
}

# What two servers took for all windows of a test.
book() { # NAME TEST
	local which name=$1 all=$((WINDOWS * REQUESTS))
	for which in tested reference; do
		# shellcheck disable=SC2086
		taken[$name $2 rate]+=" $(calc "$all / $(sum ${window_s[$which $2]})")"
		# shellcheck disable=SC2086
		taken[$name $2 cpu]+=" $(calc "$(sum ${window_ns[$which $2]}) / $all")"
		name="beside $1"
	done
}

# A server that keeps probes would be none that has the sampler.
inject() { # WHICH
	trace ' tracing ' "$OUT/heaptap" record -o "$scratch/out" --force --inline -p "$(<"$scratch/$1/pid")"
	! grep 'keeps probes' "$scratch/said" >&2
}

# A server, beside one that has only what is preloaded to both. COMMAND is what it is started behind, or `inject`.
redis() { # NAME PRELOAD COMMAND...
	local name=$1 preload=$2 which test number order
	local -A window_s=() window_ns=()
	shift 2
	serve reference env LD_PRELOAD="$preload"
	if [ "$1" = inject ]; then
		serve tested env
		inject tested
	else
		serve tested "$@"
	fi
	for which in reference tested; do
		for number in 1 2 3; do ask_server "$which" set >/dev/null; done
	done
	for ((number = 0; number < WINDOWS; number++)); do
		order='reference tested'
		[ $(((number + 1) / 2 % 2)) = 0 ] || order='tested reference'
		for test in set get; do
			for which in $order; do window "$which" "$test"; done
		done
	done
	for test in set get; do book "$name" "$test"; done
	[ -z "$tracer" ] || untrace
	leave_servers
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

source_tree "$scratch/source" "$FILES"

record=("$OUT/heaptap" record -q -o "$scratch/out" --force)
build_all() {
	build untraced env
	build inline "${record[@]}" --follow --inline --
	build probes "${record[@]}" --follow --plain-copies --
}

redis_all() {
	redis inline '' "${record[@]}" --inline --
	redis injected '' inject
	redis probes '' "${record[@]}" --
	! command -v heaptrack >/dev/null || redis heaptrack '' heaptrack -r -o "$scratch/track"
	redis jemalloc-sampling '' env MALLOC_CONF=prof:true,lg_prof_sample:19
	[ -z "$tcmalloc" ] || redis tcmalloc-sampling "$tcmalloc" env LD_PRELOAD="$tcmalloc" TCMALLOC_SAMPLE_PARAMETER=524288
}

for ((round = 0; round < ROUNDS; round++)); do
	for load in $LOADS; do
		"${load}_all"
	done
	rm -rf "$scratch"/track* "$scratch/out"
done

ratios() { # NAME WHAT OF: of the rounds
	# shellcheck disable=SC2086
	paste -d' ' <(printf '%s\n' ${taken[$1 $2]}) <(printf '%s\n' ${taken[$3 $2]}) | awk '{ print $1 / $2 }'
}

ratio() { # NAME WHAT [OF]: their median
	# shellcheck disable=SC2046
	median $(ratios "$1" "$2" "${3:-untraced}")
}

# The standard error of a median: 1.25 / sqrt(n) of the standard deviation, which is 1.48 times the median distance from the median, so that
# a round beside other work counts no more than another.
standard_error() { # NUMBER...
	local middle
	middle=$(median "$@")
	# shellcheck disable=SC2046
	calc "1.25 * 1.48 * $(median $(printf '%s\n' "$@" | awk -v m="$middle" '{ d = $1 - m; print (d < 0 ? -d : d) }')) / sqrt($#)"
}

# A limit is missed where two standard errors do not explain it.
compare() { # NAME WHAT WORDS [OPERATOR LIMIT]
	local value error
	# shellcheck disable=SC2046
	value=$(ratio "$1" "$2" "beside $1") error=$(standard_error $(ratios "$1" "$2" "beside $1"))
	figure "$3" "$value" x
	figure "$3, standard error" "$error" x
	[ $# -lt 4 ] || figure "$3, two of them better" "$(calc "$value $([ "$4" = '>=' ] && echo + || echo -) 2 * $error")" x "$4" "$5"
}

show() { # NAME WHAT WORDS UNIT
	# shellcheck disable=SC2086
	figure "$3" "$(median ${taken[$1 $2]})" "$4"
}

names='inline injected probes jemalloc-sampling'
[ -z "${taken[heaptrack set rate]:-}" ] || names+=' heaptrack'
[ -z "$tcmalloc" ] || names+=' tcmalloc-sampling'
tests='set get'
[[ " $LOADS " == *' redis '* ]] || tests=''
for test in $tests; do
	show 'beside inline' "$test rate" "redis, $test: untraced, beside inline" 1/s
	show 'beside inline' "$test cpu" "redis, $test: untraced, CPU of the server for a request" ns
	for name in $names; do
		show "$name" "$test rate" "redis, $test: $name" 1/s
		show "$name" "$test cpu" "redis, $test: $name, CPU of the server for a request" ns
		limits=([0]='' [1]='')
		[[ $name != in* ]] || limits=('>= 0.97' '<= 1.05')
		# shellcheck disable=SC2086
		compare "$name" "$test rate" "redis, $test: $name, throughput" ${limits[0]}
		# shellcheck disable=SC2086
		compare "$name" "$test cpu" "redis, $test: $name, CPU for a request" ${limits[1]}
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
