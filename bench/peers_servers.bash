# SPDX-License-Identifier: GPL-2.0-or-later
#
# More of the work that peers.sh measures, to be sourced after peers_work.bash: servers, which are asked from outside.
# What the pieces share has its names in several files.
# shellcheck shell=bash disable=SC2034,SC2154

# nginx and postgres as the end-to-end tests have them: unpacked, not installed.
server_program() { # NAME
	find "$OUT/tests/e2e/servers/usr" -name "$1" -type f -perm -u+x 2>/dev/null | head -n 1
}

# What a process and its clients took for COUNT requests since then.
cost_since() { # ROW COUNT SINCE CPU
	[ -n "$2" ] && [ "${2%.*}" -gt 0 ] && [ -d "/proc/$target" ] || return 1
	echo "$1 $(calc "($(now_ns) - $3) / $2") $(calc "($(cpu_ns "$target") - $4) / $2")"
}

# --- redis ---------------------------------------------------------------------------------------------------------------
start_redis() {
	serve peers "${behind[@]}" || return 1
	target=$(<"$scratch/peers/pid") allocator=$scratch/peers/libjemalloc.so.2
	REQUESTS=$(units 100000) ask_server peers set >/dev/null
}

measure_redis() {
	local name since cpu
	for name in set get; do
		REQUESTS=$(units 300000)
		since=$(now_ns) cpu=$(cpu_ns "$target")
		ask_server peers "$name" >/dev/null || return 1
		cost_since "redis $name" "$REQUESTS" "$since" "$cpu"
	done
}

stop_redis() { leave_servers; }

# --- nginx ---------------------------------------------------------------------------------------------------------------
start_nginx() {
	local home=$scratch/nginx tries
	port=$((20000 + RANDOM % 10000))
	mkdir -p "$home"
	head -c 4096 /dev/zero | tr '\0' x >"$home/index.html"
	cat >"$home/nginx.conf" <<-END
		daemon off; master_process off; pid $home/pid; error_log $home/errors;
		events { worker_connections 64; }
		http { access_log off; client_body_temp_path $home/body; proxy_temp_path $home/proxy; fastcgi_temp_path $home/fastcgi;
		       uwsgi_temp_path $home/uwsgi; scgi_temp_path $home/scgi; keepalive_requests 1000000;
		       server { listen 127.0.0.1:$port; root $home; } }
	END
	LD_LIBRARY_PATH=$scratch "${behind[@]}" "$(server_program nginx)" -p "$home" -e "$home/errors" -c "$home/nginx.conf" \
		>"$scratch/said_by_work" 2>&1 </dev/null &
	server=$!
	for ((tries = 0; tries < 3000; tries++)); do
		[ ! -s "$home/pid" ] || ! curl -sf -o "$home/got" "http://127.0.0.1:$port/index.html" || break
		kill -0 "$server" 2>/dev/null || return 1
		sleep 0.01
	done
	target=$(<"$home/pid") allocator=$libc
}

# wrk, too, is Debian 13's.
measure_nginx() {
	local since cpu count
	since=$(now_ns) cpu=$(cpu_ns "$target")
	count=$(chroot "$root" wrk -t 1 -c 16 -d 3 "http://127.0.0.1:$port/index.html" | awk '$2 == "requests" { print $1 }')
	cost_since nginx "$count" "$since" "$cpu"
}

stop_nginx() {
	kill -QUIT "$target" 2>/dev/null || :
	[ -z "$server" ] || wait "$server" 2>/dev/null || :
	rm -rf "$scratch/nginx"
}

# --- postgres ------------------------------------------------------------------------------------------------------------
# It refuses to run as root, and does not mind being a copy. One client, whose backend is the process that counts.
server='' client=''
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)

in_postgres() { # PROGRAM [ARGUMENT...]
	local programs
	programs=$(dirname "$(find "$scratch/postgres/usr" -name initdb)")
	(cd "$scratch/postgres" && PATH=$programs:$PATH "$@")
}

sql() { # QUERY: its answer
	in_postgres psql -h "$scratch/postgres/data" -U test -Atc "$1" postgres 2>/dev/null
}

make_postgres() {
	[ ! -d "$scratch/postgres" ] || return 0
	chmod 711 "$scratch"
	mkdir -p "$scratch/postgres/usr/lib" "$scratch/postgres/usr/share" "$scratch/postgres/data"
	cp -r "$OUT/tests/e2e/servers/usr/lib/postgresql" "$scratch/postgres/usr/lib/"
	cp -r "$OUT/tests/e2e/servers/usr/share/postgresql" "$scratch/postgres/usr/share/"
	chown 65534:65534 "$scratch/postgres/data"
	in_postgres "${nobody[@]}" initdb -D data -U test -A trust -N --no-locale >/dev/null
}

start_postgres() {
	local tries
	make_postgres || return 1
	LD_LIBRARY_PATH=$scratch in_postgres "${nobody[@]}" "${behind[@]}" "$(find "$scratch/postgres/usr" -name postgres -type f)" \
		-D data -k "$scratch/postgres/data" -c listen_addresses= -c fsync=off >"$scratch/said_by_work" 2>&1 </dev/null &
	server=$!
	for ((tries = 0; tries < 1000; tries++)); do
		[ -z "$(sql 'SELECT 1')" ] || break
		kill -0 "$server" 2>/dev/null || return 1
		sleep 0.05
	done
	in_postgres pgbench -h "$scratch/postgres/data" -U test -i -q postgres >/dev/null 2>&1 || return 1
	in_postgres pgbench -h "$scratch/postgres/data" -U test -n -c 1 -T 600 postgres >/dev/null 2>&1 &
	client=$!
	for ((tries = 0; tries < 1000; tries++)); do
		[ "$(transactions)" -lt 20 ] || break
		sleep 0.05
	done
	target=$(sql "SELECT pid FROM pg_stat_activity WHERE application_name = 'pgbench'") allocator=$libc
	[ -n "$target" ]
}

transactions() {
	sql 'SELECT count(*) FROM pgbench_history'
}

measure_postgres() {
	local since cpu before
	before=$(transactions) since=$(now_ns) cpu=$(cpu_ns "$target")
	sleep 4
	cost_since postgres "$(($(transactions) - before))" "$since" "$cpu"
}

stop_postgres() {
	[ -z "$client" ] || kill "$client" 2>/dev/null || :
	[ -z "$client" ] || wait "$client" 2>/dev/null || :
	kill -INT "$(head -n 1 "$scratch/postgres/data/postmaster.pid")" 2>/dev/null || :
	[ -z "$server" ] || wait "$server" 2>/dev/null || :
}
