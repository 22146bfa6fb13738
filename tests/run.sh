#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run cmocka programs; print a line for each, the whole output of those that failed, at the end the names of what failed, and the sum.
#
#   tests/run.sh [--beside | --root[=COMPANY] | NAME=VALUE | PROGRAM]...
#
# One program a processor runs at a time; those after NAME=VALUE with that in their environment. Programs after --beside, up to --root,
# run as whoever calls this, one after the other, but at the same time as those that trace: what takes long and traces nothing.
#
# Programs after --root run as root (through sudo if need be), since they trace. They mostly wait, so HEAPTAP_TESTS_AT_ONCE of them run at
# once (default: one on two processors, two on four, three on six or more): whenever one ends, the first of the others that gets on with
# those that run. COMPANY says which these may be:
#   --root=any      any. What it traces is its own; others may set breakpoints in the files that it maps.
#   --root=probes   any but code. It sets breakpoints in the machine's C library for all processes, as --follow, --all and --container do.
#   --root=code     any but probes and code. It compares the C library's code in memory, puts the sampler there, or hears what the kernel
#                   says of breakpoints that stay.
#   --root          none. It counts what runs on the machine, or needs all its memory or time.
#
# HEAPTAP_LIVE_MAX (default 524288): objects that each heaptap can follow at once, fewer than the four million that -R 1 has room for. A
# row for each takes the kernel half of the CPU time of a start, and no test has as many; one that is not followed is counted (refused).
#
# A program that crashes, hangs, runs no test, or exits non-zero without naming a failed test counts as one failure. What it leaves
# running is ended, also when this script is stopped or killed: $OUT/tests/subreaper (default of OUT: build) does that.
# HEAPTAP_TEST_SECONDS (default 1200): a program that says nothing for as long hangs and is ended. cmocka says when each test begins and
# ends, so however long a loaded machine takes for all of them, none is ended that goes on.
set -u

limit=${HEAPTAP_TEST_SECONDS:-1200}
subreaper=${OUT:-$(dirname "$0")/../build}/tests/subreaper
at_once=$(nproc)
runner=()
export HEAPTAP_LIVE_MAX=${HEAPTAP_LIVE_MAX:-524288}
traced=${HEAPTAP_TESTS_AT_ONCE:-$(($(nproc) < 4 ? 1 : $(nproc) < 6 ? 2 : 3))}
aside='' # what programs are for: to be run beside others
company='' # what programs are for: to be run as root, in that company
waiting=() # those, each as COMPANY PROGRAM
declare -A tracing=() # the company that those which run may have, by process
beside=()
lane='' # the process that runs those
with=''

[ $# -gt 0 ] || {
	echo 'run.sh: no test program to run; if T chose none, make test T=... looks at the unit and the end-to-end tests' >&2
	exit 2
}
[ -x "$subreaper" ] || {
	echo "run.sh: no $subreaper; run make unit-programs" >&2
	exit 2
}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
: >"$scratch/counts"
: >"$scratch/failures"

# The standard input of every subreaper: it ends when this script does, for whatever reason.
mkfifo "$scratch/lifeline" && exec 9<>"$scratch/lifeline" 8<"$scratch/lifeline" || exit 1

stop() { # STATUS
	# Whoever reads this may have got the signal too.
	trap '' INT TERM HUP PIPE
	: >"$scratch/stopped"
	echo 'run.sh: stopped; ending what runs' >&2
	exec 9>&-
	# A second signal, as make's to its child, may have come before it was ignored: it ends a wait.
	until wait; do :; done
	exit "$1"
}
trap 'stop 129' HUP
trap 'stop 130' INT
trap 'stop 143' TERM

# Sum of the numbers in lines like "[  PASSED  ] 3 test(s)" or, from newer libraries, "[  FAILED  ] group: 3 test(s)". Tests print
# around them, so they may stand anywhere in a line.
summary() { # WORD LOG
	grep -aoE "\[  $1 +\] ([^ ]+: )?[0-9]+ test" "$2" | awk '{ sum += $(NF - 1) } END { print sum + 0 }'
}

# The names of the tests that failed, or what else was wrong.
failures() { # LOG
	grep -aoE '\[  FAILED  \] test_\w+' "$1" | sed 's/.* //' | sort -u
	sed -n 's/^run\.sh: //p' "$1"
}

run() { # PROGRAM
	local start=$SECONDS log said status p f s word=ok name=${1#"$PWD"/}
	log=$(mktemp -p "$scratch") said=$log.said
	"${runner[@]}" "$subreaper" "$limit" "$1" >"$log" 2>&1 <&8 8<&-
	status=$?
	[ ! -e "$scratch/stopped" ] || return
	p=$(summary PASSED "$log") f=$(summary FAILED "$log") s=$(summary SKIPPED "$log")
	if [ $((p + f + s)) = 0 ] || { [ $status != 0 ] && [ "$f" = 0 ]; }; then
		f=$((f + 1))
		case $status in
		124) echo "run.sh: stopped after $limit s without a word" >>"$log" ;;
		*) echo "run.sh: ended with status $status and no summary of a failure" >>"$log" ;;
		esac
	fi
	[ "$f" = 0 ] || word=FAILED
	printf '%-7s %s: %d passed, %d failed, %d skipped (%d s)\n' "$word" "$name" "$p" "$f" "$s" $((SECONDS - start)) >"$said"
	if [ "$f" != 0 ]; then
		sed 's/^/    /' "$log" >>"$said"
		failures "$log" | sed "s|^|  $name$with: |" >>"$scratch/failures"
	fi
	echo "$p $f $s" >>"$scratch/counts"
	cat "$said"
	rm -f "$log" "$said"
}

# One after the other. This ignores the signals that end this script, which waits for it.
run_each() { # PROGRAM...
	local program
	trap '' INT TERM HUP
	exec 9>&-
	for program in "$@"; do
		[ -e "$scratch/stopped" ] || run "$program"
	done
}

# Until fewer run than that, without those beside.
await_room() { # COUNT
	while [ "$(jobs -rp | grep -vcx "$lane")" -ge "$1" ]; do wait -n; done
}

gets_on() { # COMPANY
	local other
	[ ${#tracing[@]} -lt "$traced" ] || return
	for other in "${tracing[@]}"; do
		case $1,$other in
		none,* | *,none | code,code | code,probes | probes,code) return 1 ;;
		esac
	done
}

# False: none of those that wait gets on with those that run.
begin_first() {
	local i
	for i in "${!waiting[@]}"; do
		gets_on "${waiting[i]%% *}" || continue
		run_each "${waiting[i]#* }" &
		tracing[$!]=${waiting[i]%% *}
		unset "waiting[i]"
		return
	done
	return 1
}

forget_ended() {
	local pid running
	running=$(jobs -rp)
	for pid in "${!tracing[@]}"; do
		grep -qx "$pid" <<<"$running" || unset "tracing[$pid]"
	done
}

# Until all that wait have run.
trace() {
	while [ ${#waiting[@]} != 0 ] || [ ${#tracing[@]} != 0 ]; do
		begin_first && continue
		wait -n
		forget_ended
	done
}

begin_beside() {
	[ ${#beside[@]} != 0 ] || return
	run_each "${beside[@]}" &
	lane=$! beside=()
}

# What the tests that trace need of the machine, and what to do if it is not there: else whole programs fail, each in its own words.
environment() {
	local lacks='' cgroups
	if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
		lacks+='; root (run this as root, or install sudo)'
	fi
	cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
	if [ -z "$cgroups" ]; then
		lacks+='; a mounted cgroup2 (mount -t cgroup2 none /sys/fs/cgroup)'
	elif ! grep -qw pids "$cgroups/cgroup.controllers" && ! grep -Eq ' cgroup [^ ]*\bpids\b' /proc/self/mounts; then
		# runc wants it for every container.
		lacks+='; the cgroup controller pids, which a hierarchy of version 1 has that is not mounted (mount -t cgroup -o pids none DIR)'
	fi
	mountpoint -q / || lacks+='; a root that is a mount point (mount --bind DIR DIR, then chroot DIR)'
	[ -r /sys/kernel/btf/vmlinux ] || lacks+='; the types of the kernel in /sys/kernel/btf (mount -t sysfs none /sys, or a kernel with BTF)'
	[ -c /dev/kmsg ] || lacks+='; /dev/kmsg (mount -t devtmpfs none /dev)'
	[ -c /dev/pts/ptmx ] || lacks+='; /dev/pts (mount -t devpts none /dev/pts)'
	if [ -n "$lacks" ]; then
		echo "run.sh: tests will fail that need what is missing here: ${lacks#; }"
	fi
}

for argument in "$@"; do
	case $argument in
	--root | --root=*)
		environment
		break
		;;
	esac
done
for program in "$@"; do
	case $program in
	--beside) aside=yes ;;
	--root | --root=any | --root=probes | --root=code)
		await_room 1
		begin_beside
		aside='' company=${program#--root}
		company=${company#=} company=${company:-none}
		[ "$(id -u)" = 0 ] || runner=(sudo -E)
		;;
	--*)
		echo "run.sh: no option $program; its first lines say which there are" >&2
		exit 2
		;;
	*=*)
		await_room 1
		trace
		with=" with $program"
		echo "with $program:"
		export "${program?}"
		;;
	*)
		if [ -n "$aside" ]; then
			beside+=("$program")
		elif [ -n "$company" ]; then
			waiting+=("$company $program")
		else
			await_room "$at_once"
			run_each "$program" &
		fi
		;;
	esac
done
begin_beside
trace
wait

read -r passed failed skipped < <(awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }' "$scratch/counts")
if [ "$failed" != 0 ]; then
	echo 'failed (make test T=NAME runs the programs whose name contains NAME):'
	cat "$scratch/failures"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ $((passed + skipped)) -gt 0 ]
