# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the scripts of bench/ share, to be sourced: a workload, tracers that start and stop, medians, and requirements.
# shellcheck shell=bash
set -euo pipefail

OUT=${OUT:-build}
ROUNDS=${ROUNDS:-7}
missed=0 tracer='' timing='' store='' WORKLOAD_PID='' workload_behind=()
scratch=$(mktemp -d)

end() { # PID: of a child, without a word about it
	[ -z "$1" ] || { kill -KILL "$1" && wait "$1"; } 2>/dev/null || :
}

leave() {
	end "$tracer"
	end "$timing" # unwind.sh's: while it lives, every BPF program of the machine is slower
	end "$store"
	end "$WORKLOAD_PID"
	rm -rf "$scratch"
}
trap leave EXIT

if [ "$(id -u)" != 0 ]; then
	echo "$0: tracing needs root" >&2
	exit 3
fi
renice -n -20 $$ >/dev/null

# Copies of libc, one for the workload and one for the tracer, so that other users' probes on the machine's own do not interfere.
libc=$scratch/libc.so.6
mkdir "$scratch/tracer"
for copy in "$libc" "$scratch/tracer/libc.so.6"; do
	cp "$(ldd "$OUT/bench/workload" | awk '$1 == "libc.so.6" { print $3 }')" "$copy"
done

# Start another one, behind the words of `workload_behind`, which maps these files; it is told what to do by `ask`.
workload() { # [FILE...]
	end "$WORKLOAD_PID"
	coproc WORKLOAD { LD_LIBRARY_PATH=$scratch exec "${workload_behind[@]}" "$OUT/bench/workload" "$@"; }
}

# What it was started behind may say something too, so only a number is an answer.
ask() { # COMMAND [NUMBER...]: the workload's answer
	local answer=''
	echo "$*" >&"${WORKLOAD[1]}"
	until [[ $answer =~ ^-?[0-9]+\.[0-9]+$ ]]; do
		read -r answer <&"${WORKLOAD[0]}" || return 1
	done
	[ "$answer" != -1.00 ] || { echo "$0: the workload failed at '$*'" >&2; return 1; }
	echo "$answer"
}

# Start a tracer in the background and wait until WORD is in what it says.
trace() { # WORD COMMAND...
	local word=$1 tries
	shift
	: >"$scratch/said"
	LD_LIBRARY_PATH=$scratch/tracer "$@" >>"$scratch/said" 2>&1 </dev/null &
	tracer=$!
	for ((tries = 0; tries < 1000; tries++)); do
		! grep -q "$word" "$scratch/said" || return 0
		kill -0 "$tracer" 2>/dev/null || break
		sleep 0.01
	done
	echo "$0: '$*' did not attach:" >&2
	cat "$scratch/said" >&2
	return 1
}

heaptap() { # [OPTION...]: record the workload
	trace ' tracing ' "$OUT/heaptap" record -o "$scratch/out" --force "$@"
}

# A store for profiles, on $port of this machine: it takes what the rules of such stores allow.
start_store() {
	local tries
	: >"$scratch/store"
	python3 "$(dirname "$0")/../tests/e2e/kit/strict_store.py" >>"$scratch/store" &
	store=$!
	for ((tries = 0; tries < 1000; tries++)); do
		port=$(awk '$1 == "port" { print $2 }' "$scratch/store")
		[ -z "$port" ] || return 0
		sleep 0.01
	done
	echo "$0: the store did not start" >&2
	return 1
}

store_number() { # PAGE [WORD]: the number behind the word, or how many lines the page has
	curl -s -m 60 "http://127.0.0.1:$port/$1" | awk -v word="${2-}" '!word { n = NR } word && $1 == word { n = $2 } END { print n + 0 }'
}

untrace() {
	kill -INT "$tracer"
	wait "$tracer" || :
	tracer=''
}

# Memory of the BPF maps that a process holds, each once, in MiB. Files of processes that end are closed meanwhile.
map_mib() { # PID
	calc "$( (cat "/proc/$1"/fdinfo/* 2>/dev/null || :) | awk '$1 == "memlock:" { memory = $2 }
	     $1 == "map_id:" && !seen[$2]++ { sum += memory }
	     END { print sum + 0 }') / 1048576"
}

from_index() { # JQ-FILTER on what heaptap has just written
	jq -r "$1" "$scratch/out/index.json"
}

cpu_ns() { # PID: CPU time of all its threads that live
	cat "/proc/$1"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

median() { # NUMBER...
	printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int((NR + 2) / 2)]) / 2 }'
}

spread() { # NUMBER...: the least and the greatest
	printf '%s\n' "$@" | sort -g | awk 'NR == 1 { least = $1 } END { print least " - " $1 }'
}

calc() { # EXPRESSION
	awk "BEGIN { print $1 }"
}

number() { # NUMBER: to four digits, but never in powers of ten
	awk -v n="$1" 'BEGIN { printf((n >= 1000 ? "%.0f" : "%.4g"), n) }'
}

# Print a figure and, when a limit is given, whether it holds; what does not makes the script fail at its end.
figure() { # NAME VALUE UNIT [OPERATOR LIMIT]
	local verdict=''
	if [ $# -gt 3 ]; then
		verdict="ok: required $4 $5"
		awk "BEGIN { exit !($2 $4 $5) }" || { verdict="MISSED: required $4 $5"; missed=1; }
	fi
	printf '  %-60s %10s %-6s %s\n' "$1" "$(number "$2")" "$3" "$verdict"
}

finish() {
	exit "$missed"
}
