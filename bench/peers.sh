#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What heaptap costs beside other heap profilers, at work of several kinds, and how its cost grows: docs/benchmarks.md is made by this script.
#
#   OUT=build bench/peers.sh                                     # all, into build/benchmarks.{tsv,md,svg}
#   RESULTS=docs/benchmarks.tsv OUT=build bench/peers.sh         # the page of the documentation
#   LOADS='pair redis' TOOLS='heaptap memleak' ROUNDS=3 ...      # some of it
#
# Each line of RESULTS is one measurement: a work without the tool and, right before or after, with it. What RESULTS has already is not
# measured again, so a run may be stopped at any time, and goes on when it is started again; ROUNDS is how many lines each pair of work and tool
# shall have. What failed or was not installed is tried anew. Each round goes through all works and tools, so those are held against each other
# that ran at about the same time.
ROUNDS=${ROUNDS:-5}
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"
# shellcheck source=bench/debian_root.bash
. "$(dirname "$0")/debian_root.bash"
# shellcheck source=bench/redis_servers.bash
. "$(dirname "$0")/redis_servers.bash"
# shellcheck source=bench/crowd.bash
. "$(dirname "$0")/crowd.bash"
# shellcheck source=bench/peers_tools.bash
. "$(dirname "$0")/peers_tools.bash"
# shellcheck source=bench/peers_work.bash
. "$(dirname "$0")/peers_work.bash"
# shellcheck source=bench/peers_servers.bash
. "$(dirname "$0")/peers_servers.bash"
# shellcheck source=bench/peers_growth.bash
. "$(dirname "$0")/peers_growth.bash"

RESULTS=${RESULTS:-$OUT/benchmarks.tsv}
LOADS=${LOADS:-pair redis nginx postgres gcc perl python node sqlite $GROWTHS}
LIMIT=${LIMIT:-400} # seconds that one measurement may take
MEMLEAK_ROOT=$root
work='' watchdog=''
trap 'quit' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

quit() {
	[ -z "$work" ] || leave_cell || :
	empty_group || :
	leave_servers || :
	leave
}

# Whatever is at work or measured, so that nothing is left.
leave_cell() {
	end "$watchdog"
	watchdog=''
	[ -z "$tracer" ] || untrace 2>/dev/null || end "$tracer"
	tracer=''
	"stop_${work%%=*}"
	work=''
	rm -rf "$scratch/data" "$scratch/out"
}

# A profiler that hangs ends with the process that it is at, and so does the measurement. Nobody writes to the pipe.
watch() {
	[ -e "$scratch/never" ] || mkfifo "$scratch/never"
	(
		exec >/dev/null 2>&1
		read -rt "$LIMIT" _ <>"$scratch/never" || kill -KILL "$target"
	) &
	watchdog=$!
}

begin() { # WORK
	work=$1
	mkdir -p "$scratch/data" && chmod 1777 "$scratch/data"
	target=''
	"start_${work%%=*}" "${work#*=}" || return 1
	watch
}

take() { # FILE
	"measure_${work%%=*}" "${work#*=}" >"$1"
}

# One after the other, in two processes.
take_apart() { # WORK TOOL
	behind_nothing "$2"
	begin "$1" && take "$scratch/plain" || return 1
	leave_cell
	behind_tool "$2"
	begin "$1" || return 1
	! attaches "$2" "$1" || attach "$2" "$target" "$allocator" || return 1
	take "$scratch/tested" || return 1
	leave_cell
}

# The same process before and after.
take_in_one() { # WORK TOOL
	behind_nothing "$2"
	begin "$1" && take "$scratch/plain" && attach "$2" "$target" "$allocator" && take "$scratch/tested" || return 1
	leave_cell
}

attaches() { # TOOL WORK
	[[ " $attaching " == *" $1 "* ]] || { [[ " $by_pid " == *" $1 "* ]] && ! is_batch "$2"; }
}

is_batch() { # WORK: a program that is started for each measurement
	declare -f "start_${1%%=*}" | grep -q start_batch
}

why() { # the last that was said, in one line
	tail -qn 1 "$scratch/said_by_work" "$scratch/said" 2>/dev/null | tr -s '\t\n' '  ' | cut -c 1-200
}

line() { # WORK TOOL WORDS...
	printf '%s\t%s\t%s\t%s' "$(date +%FT%H:%M)" "$(cut -d' ' -f1 /proc/loadavg)" "$1" "$2"
	shift 2
	printf '\t%s' "$@"
	echo
}

keep() { # CONDITION: of awk's; the results for which it does not hold
	awk -F'\t' "!($1)" "$RESULTS" >"$scratch/kept" && cat "$scratch/kept" >"$RESULTS"
}

cell() { # WORK TOOL
	local reason row
	keep "\$3 == \"$1\" && \$4 == \"$2\" && \$5 == \"-\""
	reason=$(impossible "$2" "$1")
	rm -f "$scratch/said" "$scratch/said_by_work"
	if [ -z "$reason" ]; then
		less=${divisor[$2]:-1}
		if attaches "$2" "$1" && ! is_batch "$1"; then
			take_in_one "$@" || reason="failed: $(why)"
		else
			take_apart "$@" || reason="failed: $(why)"
		fi
		[ -z "$work" ] || leave_cell
	fi
	if [ -n "$reason" ]; then
		echo "  $1, $2: $reason" >&2
		line "$1" "$2" - - - - "$reason" >>"$RESULTS"
		return
	fi
	paste -d' ' "$scratch/plain" "$scratch/tested" | sed 's/ set / SET /g; s/ get / GET /g' | while read -r row; do
		book "$1" "$2" "$row"
	done
}

# A row's name may be of several words, before the two figures; the same name stands in both halves.
book() { # WORK TOOL LINE
	local words half
	read -ra words <<<"$3"
	half=$((${#words[@]} / 2))
	line "${words[*]:0:half-2}" "$2" "${words[half - 2]}" "${words[half - 1]}" "${words[2 * half - 2]}" "${words[2 * half - 1]}" >>"$RESULTS"
	printf '  %-16s %-18s time %8.3f  processor %8.3f\n' "${words[*]:0:half-2}" "$2" \
		"$(calc "${words[2 * half - 2]} / ${words[half - 2]}")" "$(calc "${words[2 * half - 1]} / ${words[half - 1]}")"
}

done_already() { # WORK TOOL: how often
	awk -F'\t' -v work="$1" -v tool="$2" '
		$4 == tool && $5 != "-" && ($3 == work || index($3, work " ") == 1) { count[$3]++ }
		END { least = 0; for (row in count) if (!least || count[row] < least) least = count[row]; print least }' "$RESULTS"
}

tools_for() { # WORK
	case $1 in
	depth=*) echo "$GROWTH_TOOLS every_one" ;;
	*=*) echo "$GROWTH_TOOLS" ;;
	*) echo "$TOOLS" ;;
	esac
}

fetch_root
touch "$RESULTS"
for ((round = 1; round <= ROUNDS; round++)); do
	for load in $LOADS; do
		for tool in $(tools_for "$load"); do
			[ "$(done_already "$load" "$tool")" -ge "$round" ] || cell "$load" "$tool" || :
		done
	done
done
keep '/^#/'
versions | sed 's/^/# /' | cat - "$RESULTS" >"$scratch/kept" && cat "$scratch/kept" >"$RESULTS"
python3 "$(dirname "$0")/peers_page.py" "$RESULTS"
