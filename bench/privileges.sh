#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The least that heaptap must be allowed, by what it is to do, and what it says where one thing less is allowed: the table of
# docs/privileges.md. For each feature, as a user who is not root: first with every capability of this machine; then one after the other is
# taken away, the mightiest first, and stays away if nothing shows that it is missed.
#
#   works      status 0, what was to be seen was seen, and nothing was said that is not said with every capability
#   degraded   status 0, but something was said
#   refused    another status
#
# On a busy machine something may fail by chance. So a capability is missed where the sentence names it, or where it failed three times.
#
#   bench/privileges.sh [FEATURE]...      FEATURE: the first word of a row
set -u
OUT=${OUT:-build}
WATCHER=65534 OTHER=1

# CAP_SYS_ADMIN includes three of the others, so it goes first.
TAKEN_AWAY='sys_admin sys_ptrace dac_override dac_read_search chown fowner fsetid checkpoint_restore sys_nice sys_resource bpf perfmon'

if [ "$(id -u)" != 0 ]; then
	echo "$0: only root may give capabilities to others" >&2
	exit 3
fi
room=$(mktemp -d)
chmod 755 "$room"
mkdir -m 777 "$room/records"
install -m 755 "$OUT/heaptap" "$OUT/tests/e2e/target_leak" "$OUT/tests/e2e/target_static" "$OUT/tests/e2e/target_filler" "$room/"
target='' tracer='' group='' seen='' container=heaptap-privileges-$$

end_target() {
	[ -z "$target" ] || { kill -KILL "$target" && wait "$target"; } 2>/dev/null
	target=''
	[ ! -e "$room/go" ] || exec {go}>&-
	rm -f "$room/go"
}

leave() {
	[ -z "$tracer" ] || kill -TERM "$tracer" 2>/dev/null
	end_target
	[ -z "$group" ] || rmdir "$group" 2>/dev/null
	podman rm -i -f -t 0 "$container" >/dev/null 2>&1
	podman rmi -f "$container" >/dev/null 2>&1
	rm -rf "$room"
}
trap leave EXIT

# Until it holds; 60 s without it is an end.
await() { # COMMAND...
	local tries
	for ((tries = 0; tries < 600; tries++)); do
		"$@" && return
		sleep 0.1
	done
	return 1
}

as() { # UID COMMAND...
	exec setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"
}

# What targets read.
open_input() {
	end_target
	mkfifo "$room/go"
	exec {go}<>"$room/go"
}

# It waits for a byte, allocates, and ends.
start_target() { # UID COMMAND...
	open_input
	: >"$room/target.out"
	as "$@" <"$room/go" >"$room/target.out" 2>/dev/null &
	target=$!
	await test -s "$room/target.out"
}

go() {
	printf g >&"$go"
}

# What it says comes to $room/said, its status to `status`.
start_heaptap() { # CAPABILITIES ARGUMENT...
	rm -rf "$room/records/out"
	: >"$room/said"
	(
		cd "$room/records" || exit
		as $WATCHER --inh-caps "-all$1" --ambient-caps "-all$1" --bounding-set "-all$1" "$room/heaptap" "${@:2}"
	) >"$room/printed" 2>"$room/said" <&"${go:-0}" &
	tracer=$!
}

finish_heaptap() {
	wait "$tracer"
	status=$?
	tracer=''
}

is_tracing() {
	grep -q '^heaptap: \(tracing\|serving\)' "$room/said" || ! kill -0 "$tracer" 2>/dev/null
}

has_ended() {
	! kill -0 "$1" 2>/dev/null
}

# The 30 000 bytes that target_leak keeps.
saw_leak() {
	grep -q '"inuse_space":[[:space:]]*30000[,}]*$\|"inuse_space":30000[,}]' "$room/records/out/index.json" 2>/dev/null
}

record() { # CAPABILITIES ARGUMENT...: until the target ends
	start_heaptap "$1" record -R 1 -o out "${@:2}"
	await is_tracing
	go
	finish_heaptap
	saw_leak
}

# --- the features: each sets `status`, and succeeds if what was to be seen was seen ---

run_own() {
	start_target $WATCHER "$room/target_leak" malloc
	record "$1" -p $target
}

run_other() {
	start_target $OTHER "$room/target_leak" malloc
	record "$1" -p $target "${@:2}"
}

run_private() {
	install -d -m 700 -o $OTHER -g $OTHER "$room/private"
	install -o $OTHER -m 700 "$room/target_static" "$room/private/program"
	start_target $OTHER "$room/private/program" malloc
	record "$1" -p $target
}

# As an upgrade does it.
run_replaced() { # CAPABILITIES [UID]
	install -m 755 "$room/target_static" "$room/old"
	start_target "${2:-$WATCHER}" "$room/old" malloc
	install -m 755 "$room/target_static" "$room/new"
	mv "$room/new" "$room/old"
	record "$1" -p $target
}

run_replaced_other() {
	run_replaced "$1" $OTHER
}

run_command() {
	open_input
	record "$1" "${@:2}" -- "$room/target_leak" malloc
}

run_follow() {
	run_command "$1" --follow
}

run_inline_command() {
	run_command "$1" -R 4096 --inline
	[ "$status" = 0 ]
}

has_handed_over() {
	grep -q 'has the sampler\|keeps probes' "$room/said" || ! kill -0 "$tracer" 2>/dev/null
}

# The sampler comes a moment after the probes.
run_inline_other() {
	start_target $OTHER "$room/target_leak" malloc
	start_heaptap "$1" record -R 4096 -o out --inline -p $target
	await has_handed_over
	go
	finish_heaptap
	grep -q 'has the sampler' "$room/said"
}

run_resident() {
	run_other "$1" --resident
}

run_mappings() {
	run_other "$1" --mappings
}

record_until_told() { # CAPABILITIES ARGUMENT...
	start_heaptap "$1" record -R 1 -o out "${@:2}"
	await is_tracing
	go
	await has_ended $target
	kill -INT "$tracer" 2>/dev/null
	finish_heaptap
	saw_leak
}

run_all() {
	start_target $OTHER "$room/target_leak" malloc
	record_until_told "$1" --all --exe "$room/target_leak"
}

run_cgroup() {
	group=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)/heaptap-privileges-$$
	mkdir -p "$group"
	start_target $OTHER "$room/target_leak" malloc
	echo $target >"$group/cgroup.procs"
	record_until_told "$1" --cgroup "$group"
}

run_container() {
	if ! podman image exists "$container" 2>/dev/null; then
		tar -C "$room" -c target_static | podman import - "$container" >/dev/null 2>&1
	fi
	start_target 0 podman --runtime runc --log-level error run --rm -i --name "$container" --network=none \
		--ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$container" /target_static malloc
	record_until_told "$1" --container "$container"
}

run_serve() {
	local answer
	start_target $OTHER "$room/target_filler"
	start_heaptap "$1" serve -R 1 --listen "unix:$room/records/socket" -p $target
	await is_tracing
	answer=$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$room/records/socket" http://heaptap/debug/pprof/heap 2>/dev/null)
	kill -INT "$tracer" 2>/dev/null
	finish_heaptap
	rm -f "$room/records/socket"
	[ "$answer" = 200 ]
}

# In a group with 64 MiB.
run_oom() {
	local memory
	memory=$(awk '$3 ~ /^cgroup2?$/ && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/mounts)
	group=$memory/heaptap-privileges-$$
	mkdir -p "$group"
	echo 67108864 >"$group/memory.limit_in_bytes"
	start_target $OTHER "$room/target_filler"
	echo $target >"$group/cgroup.procs"
	start_heaptap "$1" record -o out -p $target
	await is_tracing
	printf gg >&"$go"
	finish_heaptap
	grep -q 'OOM-killed' "$room/said"
}

run_python() {
	start_target $OTHER /usr/bin/python3 -c 'import os; os.write(1, b"r"); os.read(0, 1); kept = [bytes([i]) * 300 for i in range(100)]; del kept'
	start_heaptap "$1" record -R 1 -o out -p $target
	await is_tracing
	go
	finish_heaptap
	[ "$status" = 0 ]
}

run_doctor() {
	start_target $OTHER "$room/target_leak" malloc
	start_heaptap "$1" doctor -p $target
	finish_heaptap
	[ "$status" = 0 ]
}

# --- outcomes ---

# What it said, and what doctor found missing.
sentences() {
	{
		sed -n 's/^heaptap: //p' "$room/said"
		sed -n '/ missing;/s/^ *//p' "$room/printed"
	} | grep -v 'has not called its allocator\|has no processes left\|press Ctrl-C again\|heaptap report\|go tool'
}

shapes() {
	sed 's/\b[0-9a-f]\{12\}\b/N/g; s/[0-9][0-9.]*/N/g'
}

# Sets `outcome`, `seen` and, if it does not work, `sentence`.
try_once() { # FEATURE CAPABILITIES
	seen=yes status=1
	"run_$1" "$2" || seen=''
	end_target
	[ -z "$group" ] || { await rmdir "$group" 2>/dev/null; group=''; }
	sentence=$(sentences | while IFS= read -r line; do
		shapes <<<"$line" | grep -qxF -f "$room/usual" || echo "$line"
	done | head -n 1)
	if [ "$status" != 0 ]; then
		outcome="refused ($status)"
	elif [ -z "$seen" ]; then
		outcome='degraded'
		sentence=${sentence:-not said}
	elif [ -n "$sentence" ]; then
		outcome='degraded'
	else
		outcome='works'
	fi
	sentence=$(sed "s|$room/||g; s/\b[0-9]\{2,\}\b/N/g" <<<"$sentence")
}

try() { # FEATURE CAPABILITIES
	local tries
	for ((tries = 0; tries < 3; tries++)); do
		try_once "$@"
		[ "$outcome" != works ] && [[ $sentence != *CAP_*' missing'* ]] || return
	done
}

try_with_every() { # FEATURE
	local tries
	: >"$room/usual"
	for ((tries = 0; tries < 3; tries++)); do
		try_once "$1" "$(every)"
		[ "$status" = 0 ] && [ "$seen" ] && break
	done
	sentences | shapes >"$room/usual"
	[ "$status" = 0 ] && [ "$seen" ]
}

signed() { # NAME...: as setpriv has it
	local name
	for name; do printf ',+%s' "$name"; done
}

every() {
	# shellcheck disable=SC2046 # a list of words
	signed $(setpriv --dump | sed -n 's/^Capability bounding set: //p' | tr ',' ' ')
}

examine() { # FEATURE DESCRIPTION
	local kept name rest rows=''
	try_with_every "$1" || { echo "| $2 | not seen here: $outcome, $sentence | |"; return; }
	# shellcheck disable=SC2086 # a list of words
	kept=$(available $TAKEN_AWAY)
	# Or something is missed that is not in the list.
	# shellcheck disable=SC2046,SC2086 # lists of words
	try "$1" "$(signed $kept)"
	[ "$outcome" = works ] || { echo "| $2 | more than all of these: $TAKEN_AWAY: $outcome | $sentence |"; return; }
	for name in $kept; do
		rest=$(printf '%s\n' $kept | grep -vx "$name" | tr '\n' ' ')
		# shellcheck disable=SC2046,SC2086 # lists of words
		try "$1" "$(signed $rest)"
		if [ "$outcome" = works ]; then
			kept=$rest
		else
			rows="$rows| | without CAP_${name^^}: $outcome | $sentence |
"
		fi
	done
	printf '| %s | %s | |\n%s' "$2" "$(printf '%s\n' $kept | sed 's/.*/CAP_\U&/' | paste -sd, | sed 's/,/, /g; s/^$/none/')" "$rows"
}

# Those that this machine has to give.
available() {
	local all
	all=$(every)
	for name; do [[ $all, != *",+$name,"* ]] || echo "$name"; done
}

features() {
	cat <<-'ROWS'
		doctor doctor -p PID, of another user
		own record -p PID, of the same user
		command record -- COMMAND
		other record -p PID, of another user
		private the same, of a program that its user alone may read
		replaced record -p PID, of a file that was replaced since
		replaced_other the same, of another user
		resident record --resident -p PID
		mappings record --mappings -p PID, of another user
		python record -p PID of python3, of another user, its own allocator too
		oom record -p PID: how the kernel's OOM killer ended it
		serve serve -p PID
		cgroup record --cgroup PATH
		container record --container NAME
		all record --all --exe FILE
		follow record --follow -- COMMAND, on copies of its files
		inline_command record --inline -- COMMAND
		inline_other record --inline -p PID
	ROWS
}

echo "kernel $(uname -r), heaptap $("$room/heaptap" --version | sed 's/heaptap //'); user $WATCHER, another user $OTHER"
echo '| feature | needs | what is said |'
echo '|---|---|---|'
while read -r name description; do
	[ $# = 0 ] || [[ " $* " = *" $name "* ]] || continue
	examine "$name" "$description" </dev/null
done < <(features)
