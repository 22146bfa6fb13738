#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Whether samples are what the law says: a call that asks for s bytes is one with probability 1 - exp(-s/R), by itself. A program whose
# calls are known (target_totals) is recorded RUNS times for each allocator, by 1, 4 and 8 threads, by 1 024 forked children of
# one parent, and by as many of vfork (128 but for glibc): by copies with the sampler (grafted), with the sampler brought in
# (injected), and, of glibc and with 4 threads, by probes.
#
# For each: samples expected and seen, z of their sum, the worst z of a run, and what must be exact. Each run has 16 calls of
# every function that are missed once in 10^17: more samples of them are duplicates, fewer are missed. A freed block that is in use at
# the end is a missed free, a kept one that is not a wrong one. Each ledger must balance and tell of no loss.
# Then the three are compared at each site (function and size).
#
# By Bernstein's inequality chance is as far out as a z here with at most 2 exp(-z^2/2 / (1 + z/(3 sigma))); below 10^-10 a figure is
# wrong. Fewer than 10 000 are compared, so that this script gives a false alarm less than once in a million times. The root mean
# square of the runs' z, which is 1 where runs know nothing of each other, has the same bound (Wilson and Hilferty 1931).
#
# truth.sh [ALLOCATOR...]
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

RUNS=${RUNS:-50}
INTERVAL=4096
record=("$OUT/heaptap" record -R "$INTERVAL" -f json --force -o "$scratch/out")
declare -A preloads=([glibc]='' [musl]='' [c++]=libstdc++.so.6 [jemalloc]=libjemalloc.so.2 [tcmalloc]=libtcmalloc.so.4
	[mimalloc]=libmimalloc.so.2)
mkfifo "$scratch/go"
exec {go}<>"$scratch/go" # a byte for each program that waits
[ $# -gt 0 ] || set -- glibc jemalloc c++ tcmalloc mimalloc musl

# --- recordings ------------------------------------------------------------------------------------------------------------

# Each run its own executable, by which its children are merged.
prepare() { # ALLOCATOR
	local run from=$OUT/tests/e2e/target_totals file
	[ "$1" != musl ] || from+=_musl
	rm -rf "$scratch/programs"
	mkdir "$scratch/programs"
	for ((run = 1; run <= RUNS; run++)); do
		cp "$from" "$scratch/programs/totals.$run"
	done
	program=$scratch/programs/totals
	environment=(LD_LIBRARY_PATH="$scratch")
	[ "$1" != musl ] || environment=()
	if [ -n "${preloads[$1]}" ]; then
		file=$(ldconfig -p | awk -v name="${preloads[$1]}" '$1 == name && !found++ { print $NF }')
		[ -n "$file" ] || { echo "$0: ${preloads[$1]} is not installed; 'truth.sh ALLOCATOR...' leaves out $1" >&2; return 1; }
		cp "$file" "$scratch/"
		environment+=(LD_PRELOAD="$scratch/${file##*/}")
	fi
	cp "$from" "$scratch/programs/starter"
	env "${environment[@]}" "$program.1" plan >"$scratch/plan"
}

# One recording: the program executes itself, or starts parents one by one, whose children are merged by executable.
by_command() { # KIND COUNT OPTION...
	local kind=$1 count=$2 command=("$program.1" "$1" "$2" "$((RUNS - 1))")
	shift 2
	[ "$kind" = threads ] || set -- "$@" --follow
	if [ "$kind" = forks ]; then
		command=("$scratch/programs/starter" starts "$RUNS" "$count" "$program")
		set -- "$@" --keep 1
	fi
	if ! env "${environment[@]}" "${record[@]}" "$@" -- "${command[@]}" >"$scratch/said" 2>&1 </dev/null; then
		echo "$0: '${record[*]} $* -- ${command[*]}' failed:" >&2
		cat "$scratch/said" >&2
		return 1
	fi
	gather "$kind"
}

# As many recordings as it takes: processes are ready and wait, heaptap comes, they go on.
by_pid() { # KIND COUNT
	local run first pids together=8 options=(--inline) # 8: more would have links without a filter
	[ "$1" = threads ] || options+=(--follow)
	[ "$1" != forks ] || options+=(--keep 1) together=2
	for ((first = 1; first <= RUNS; first += together)); do
		pids=''
		: >"$scratch/ready"
		for ((run = first; run < first + together && run <= RUNS; run++)); do
			env "${environment[@]}" "$program.$run" "$@" <&"$go" >>"$scratch/ready" &
			pids+=,$!
		done
		until [ "$(stat -c %s "$scratch/ready")" = "$((run - first))" ]; do
			sleep 0.01
		done
		trace ' tracing ' "${record[@]}" "${options[@]}" -p "${pids#,}"
		head -c "$((run - first))" /dev/zero >&"$go"
		wait "$tracer"
		tracer=''
		wait
		gather "$1"
	done
}

# A line for each row of samples, and for each ledger, of what has been recorded. A run is an image, or all of one executable.
gather() { # KIND
	local files
	gathered=$((gathered + 1))
	mapfile -t files < <(jq -r '.processes[].files[] | select(endswith(".json"))' "$scratch/out/index.json")
	(cd "$scratch/out" && jq -r --arg kind "$1" --arg recording "$gathered" '
		(if $kind == "forks" then .comm else "\($recording).\(.pid).\(.image)" end) as $run | .locations as $at | .samples[] |
		["sample", $run, (if .stack == [] then null else $at[.stack[0]].lines[0].function end) // "?", .size, .alloc_samples, .inuse_samples] | @tsv' \
		"${files[@]}") >>"$scratch/seen"
	from_index '["missing", .processes_missing + .processes_refused] | @tsv' >>"$scratch/seen"
	from_index '.processes[] | select(.comm | startswith("totals.")) | .ledger | ["ledger",
		.sampled - (.freed + .live + .ended + .refused + .lost_ring + .lost_stash + .failed + .return_missed + .entry_only + .in_flight),
		.refused + .lost_ring + .lost_stash + .return_missed + .entry_only + .in_flight + .free_deferred + .event_lost + .failed,
		.free_unseen, .sampled - .inline, .inherited] | @tsv' >>"$scratch/seen"
	rm -rf "$scratch/out"
}

# --- what they come to -----------------------------------------------------------------------------------------------------

# Two functions for awk; the first bounds the chance of such a z or a greater one.
# shellcheck disable=SC2016
chance='function chance(z, sigma) { z = z < 0 ? -z : z; return 2 * exp(-z * z / 2 / (1 + z / 3 / sigma)) }
	function fault(words) { faults = faults "\n    WRONG: " words }'

# Prints the row; leaves each site's samples for `compare` and `sum_up`.
# shellcheck disable=SC2016
judge() { # ALLOCATOR KIND COUNT WAY
	local inherited=0
	[ "$2 ${4#probes}" = "forks $4" ] && inherited=$((RUNS * $3))
	awk -F '[ \t]' -v R="$INTERVAL" -v runs="$RUNS" -v inside="$([ "$4" = probes ] || echo 1)" -v inherited="$inherited" \
		-v name="$(printf '%-9s %-8s %-4s' "$4" "$2" "$3")" -v sites="$scratch/sites.$1.$2.$3.$4" "$chance"'
	FILENAME ~ /plan$/ {
		p = 1 - exp(-$2 / R)
		calls[$1, $2] = $3; kept[$1, $2] = $4; chances[$1, $2] = p
		expected += $3 * p; variance += $3 * p * (1 - p)
		next
	}
	$1 == "sample" && !(($3, $4) in calls) {
		if ($3 ~ /^by_/) astray += $5
		next
	}
	$1 == "sample" {
		seen[$2] += $5; total += $5; site[$3, $4] += $5; of[$2, $3, $4] += $5
		if (kept[$3, $4]) wrong += $5 - $6; else missed += $6
	}
	$1 == "ledger" {
		unbalanced += $2 != 0; lost += $3; missed += $4; outside += $5; told += $6
	}
	$1 == "missing" { gone += $2 }
	END {
		sigma = sqrt(variance)
		for (run in seen) {
			count++
			z = (seen[run] - expected) / sigma
			squares += z * z
			if (z * z >= worst * worst) worst = z
			for (cell in calls) {
				split(cell, key, SUBSEP)
				if (key[2] < 40 * R) continue
				more = of[run, key[1], key[2]] - calls[cell]
				if (more > 0) twice += more; else unseen -= more
			}
		}
		z = (total - runs * expected) / sigma / sqrt(runs)
		printf "  %s %4d %9.0f %8d %6.2f %6.2f %5.2f %10d %6d %6d %8s", name, count, runs * expected, total, z, worst,
			sqrt(squares / (count ? count : 1)), twice, unseen, missed + wrong, unbalanced ? "NO" : "yes"
		if (count != runs) fault(runs " runs were made")
		if (chance(z, sigma * sqrt(runs)) < 1e-10) fault("the sum")
		if (chance(worst, sigma) < 1e-10) fault("the worst run")
		scatter = count ? ((squares / count) ^ (1 / 3) - 1 + 2 / 9 / count) / sqrt(2 / 9 / count) : 0
		if (scatter * scatter > 6.5 ^ 2) fault("the scatter of the runs")
		if (twice + unseen + missed + wrong + unbalanced) fault(unseen + 0 " missed, " twice + 0 " duplicates, " \
			missed + 0 " frees missed, " wrong + 0 " blocks taken for freed, " unbalanced + 0 " ledgers out of balance")
		if (lost) fault(lost " lost or refused")
		if (gone) fault(gone " processes are missing")
		if (astray) fault(astray " samples of sizes that their site does not ask for")
		if (inside && outside) fault(outside " samples were not taken in the process")
		if (inside && told != inherited) fault(told " frees of inherited blocks, expected " inherited)
		print faults
		for (cell in calls) {
			split(cell, key, SUBSEP)
			p = chances[cell]
			print key[1], key[2], site[cell] + 0, runs * calls[cell] * p * (1 - p), runs * calls[cell] * p >sites
		}
		exit faults != ""
	}' "$scratch/plan" "$scratch/seen" || missed=1
}

# shellcheck disable=SC2016
compare() { # ALLOCATOR KIND COUNT
	local ways=("$scratch/sites.$1.$2.$3".*)
	[ ${#ways[@]} -gt 1 ] || return 0
	awk "$chance"'
	FNR == 1 { ways++ }
	{ seen[ways, $1 " " $2] = $3; variance[$1 " " $2] = $4 }
	END {
		for (site in variance)
			for (a = 1; a < ways; a++)
				for (b = a + 1; b <= ways; b++) {
					apart = seen[a, site] - seen[b, site]
					sigma = sqrt(2 * variance[site])
					compared++
					z = sigma > 1e-6 ? apart / sigma : 0
					if (z * z >= worst * worst) worst = z
					if (sigma > 1e-6 ? chance(z, sigma) < 1e-10 : apart)
						fault(site ": " seen[a, site] " and " seen[b, site])
				}
		printf "  %-23s %d pairs of sites, worst z %.2f%s\n", "the ways agree:", compared, worst, faults
		exit faults != ""
	}' "${ways[@]}" || missed=1
}

# What is too small for 50 runs to show: everything of one way together, and site by site.
sum_up() { # WAY
	cat "$scratch/sites".*."$1" | awk -v way="$1" "$chance"'
	function z(cell) { return variance[cell] > 1e-6 ? (seen[cell] - expected[cell]) / sqrt(variance[cell]) : 0 }
	function add(cell) { seen[cell] += $3; variance[cell] += $4; expected[cell] += $5 }
	{ add("all"); add($1 " of " $2 " bytes") }
	END {
		for (cell in seen) {
			if (cell != "all" && z(cell) ^ 2 >= z(worst) ^ 2) worst = cell
			if (variance[cell] > 1e-6 && chance(z(cell), sqrt(variance[cell])) < 1e-10) fault(cell ": z " z(cell))
		}
		printf "  %-23s %9.0f %8d %6.2f, worst site %.2f (%s)%s\n", way, expected["all"], seen["all"], z("all"), z(worst), worst, faults
		exit faults != ""
	}' || missed=1
}

measure() { # ALLOCATOR KIND COUNT
	local way ways=(grafted injected) copies=(--plain-copies)
	[ "$2" != threads ] || copies=()
	[ "$1" != glibc ] && [ "$2 $3" != 'threads 4' ] || ways=(probes "${ways[@]}")
	for way in "${ways[@]}"; do
		: >"$scratch/seen"
		gathered=0
		case $way in
		probes) by_command "$2" "$3" "${copies[@]}" ;;
		grafted) by_command "$2" "$3" --inline ;;
		injected) by_pid "$2" "$3" ;;
		esac
		judge "$@" "$way"
	done
	compare "$@"
}

for allocator; do
	[ -n "${preloads[$allocator]+known}" ] || { echo "$0: no allocator '$allocator'; known are ${!preloads[*]}" >&2; exit 2; }
	prepare "$allocator"
	echo "$allocator, one sample in $INTERVAL bytes:"
	printf '  %-23s %4s %9s %8s %6s %6s %5s %10s %6s %6s %8s\n' '' runs expected seen z worst rms duplicates missed frees balanced
	for threads in 1 4 8; do
		measure "$allocator" threads "$threads"
	done
	children=1024
	[ "$allocator" = glibc ] || children=128
	measure "$allocator" forks "$children"
	measure "$allocator" vforks "$children"
done
echo 'all together, samples expected and seen, and z:'
for way in probes grafted injected; do
	sum_up "$way"
done
finish
