# SPDX-License-Identifier: GPL-2.0-or-later
#
# redis-servers at work, to be sourced after measure.bash. Each has its own file of jemalloc, in which no other has probes. Whoever starts
# one must call leave_servers.
# What the pieces share has its names in several files.
# shellcheck shell=bash disable=SC2034,SC2154

# The program lies in redis-tools, under another name.
ln -s /usr/bin/redis-check-rdb "$scratch/redis-server"
declare -A started=()

serve() { # WHICH COMMAND...: behind which the server is started
	local home=$scratch/$1
	shift
	mkdir -p "$home"
	install -m 755 /lib/x86_64-linux-gnu/libjemalloc.so.2 "$home/" # bpftrace wants a file that may be executed
	LD_LIBRARY_PATH=$home:$scratch "$@" "$scratch/redis-server" --port 0 --unixsocket "$home/socket" --save '' \
		--pidfile "$home/pid" --daemonize no >/dev/null 2>&1 &
	started[$home]=$!
	for ((tries = 0; tries < 1000; tries++)); do
		[ ! -s "$home/pid" ] || ! redis-cli -s "$home/socket" ping >/dev/null 2>&1 || return 0
		sleep 0.01
	done
	echo "$0: redis-server does not answer" >&2
	return 1
}

leave_servers() {
	local home
	for home in "${!started[@]}"; do
		redis-cli -s "$home/socket" shutdown nosave >/dev/null 2>&1 || :
		wait "${started[$home]}" || :
		rm -rf "$home"
	done
	started=()
}

ask_server() { # WHICH TEST: requests a second
	redis-benchmark -s "$scratch/$1/socket" -t "$2" -P 16 -d 100 -r 100000 -n "$REQUESTS" --csv | awk -F'"' 'END { print $4 }'
}
