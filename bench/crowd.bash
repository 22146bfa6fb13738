# SPDX-License-Identifier: GPL-2.0-or-later
#
# A control group of many processes, to be sourced after measure.bash; whoever sources it must call empty_group at the end.
# What the pieces share has its names in several files.
# shellcheck shell=bash disable=SC2034,SC2154
mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
group=${mount:?}/heaptap-bench-$$
crowd=''

empty_group() {
	[ -z "$crowd" ] || end "$crowd"
	crowd=''
	[ ! -d "$group" ] || { echo 1 >"$group/cgroup.kill"; }
	while [ -d "$group" ] && ! rmdir "$group" 2>/dev/null; do
		sleep 0.01
	done
	rm -rf "$scratch/crowd"
}

populate() { # COUNT ACTIVE
	mkdir "$group" "$scratch/crowd"
	mkfifo "$scratch/crowd/in" "$scratch/crowd/out"
	exec 7<>"$scratch/crowd/in" 8<>"$scratch/crowd/out"
	(echo 0 >"$group/cgroup.procs" && LD_LIBRARY_PATH=$scratch exec "$OUT/tests/e2e/target_crowd" "$scratch/crowd" "$1" "$2") &
	crowd=$!
	order 'work 0'
}

order() { # WORDS: until it is done
	local answer
	echo "$1" >&7
	read -r answer <&8
	[ "$answer" = "done" ]
}
