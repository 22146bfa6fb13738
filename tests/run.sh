#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run cmocka programs one after the other; print a line for each, the whole output of those that failed, and the sum.
#
#   tests/run.sh [--root | NAME=VALUE | PROGRAM]...
#
# Programs after --root are run as root (through sudo if need be), those after NAME=VALUE with that in their environment.
# A program that crashes, hangs, runs no test, or exits non-zero without naming a failed test counts as one failure.
# HEAPTAP_TEST_SECONDS limits each program (default 600).
set -u

limit=${HEAPTAP_TEST_SECONDS:-600}
passed=0 failed=0 skipped=0
runner=()
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

# Sum of the numbers in lines like "[  PASSED  ] 3 test(s)" or, from newer libraries, "[  FAILED  ] group: 3 test(s)". Tests print
# around them, so they may stand anywhere in a line.
summary() { # WORD
	grep -aoE "\[  $1 +\] ([^ ]+: )?[0-9]+ test" "$log" | awk '{ sum += $(NF - 1) } END { print sum + 0 }'
}

run() { # PROGRAM
	local start=$SECONDS status p f s word=ok
	timeout -k 10 "$limit" "${runner[@]}" "$1" >"$log" 2>&1 </dev/null
	status=$?
	p=$(summary PASSED) f=$(summary FAILED) s=$(summary SKIPPED)
	if [ $((p + f + s)) = 0 ] || { [ $status != 0 ] && [ "$f" = 0 ]; }; then
		f=$((f + 1))
		case $status in
		124 | 137) echo "run.sh: stopped after $limit s" >>"$log" ;;
		*) echo "run.sh: ended with status $status and no summary of a failure" >>"$log" ;;
		esac
	fi
	[ "$f" = 0 ] || word=FAILED
	printf '%-7s %s: %d passed, %d failed, %d skipped (%d s)\n' "$word" "${1#"$PWD"/}" "$p" "$f" "$s" $((SECONDS - start))
	[ "$f" = 0 ] || sed 's/^/    /' "$log"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

for program in "$@"; do
	case $program in
	--root) [ "$(id -u)" = 0 ] || runner=(sudo -E) ;;
	*=*)
		echo "with $program:"
		export "${program?}"
		;;
	*) run "$program" ;;
	esac
done

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $((passed + skipped)) -gt 0 ]
