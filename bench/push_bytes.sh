#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `heaptap push` sends for a profile, beside what `go tool pprof -proto` makes of the same one: of three recordings, of a node with
# twenty pods, of a compiler and of a program with three call sites, to each store. A request's body is compared with the profiles that are
# in it; OTLP has no files of pprof in it, so its requests are compared with those that Parca got of the same recording. Most bytes
# of one small program alone are labels and JSON, so nothing is required of it. Needs root and go.
set -euo pipefail

OUT=${OUT:-build}
scratch=$(mktemp -d)
mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
group=${mount:?}/heaptap-bench-$$
store='' node='' missed=0

end() {
	[ -z "$store" ] || { kill "$store" && wait "$store"; } 2>/dev/null || :
	store=''
}

end_node() {
	[ -z "$node" ] || { kill "$node" && wait "$node"; } 2>/dev/null || :
	node=''
	while [ -d "$group" ]; do
		echo 1 >"$group/cgroup.kill"
		find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.01
	done
}

leave() {
	end
	end_node
	rm -rf "$scratch"
}
trap leave EXIT

record() { # TITLE OPTION... -- COMMAND...
	local title=$1
	shift
	"$OUT/heaptap" record -q -o "$scratch/$title" "$@" >"$scratch/said" 2>&1 || { cat "$scratch/said" >&2; return 1; }
}

# With the interval that push has unless told otherwise, for as long as it waits between two pushes.
record_node() { # TITLE
	local said
	mkdir "$group"
	head -c 8 /dev/zero >"$scratch/beats"
	coproc NODE { exec "$OUT/bench/pods" "$group" 20 40 1 "$scratch/beats"; }
	node=$NODE_PID
	read -r said <&"${NODE[0]}"
	[ "$said" = ready ] || { echo "$0: the processes did not start" >&2; return 1; }
	record "$1" -d 15 --cgroup "${group#"$mount"}"
	end_node
}

# Push the recording to a store; the bodies are then in a directory of its own.
push() { # TITLE SCHEME
	local bodies=$scratch/$1.$2 port
	mkdir "$bodies"
	coproc STORE { exec python3 tests/e2e/kit/strict_store.py "$bodies"; }
	store=$STORE_PID
	read -r _ port <&"${STORE[0]}"
	no_proxy='*' "$OUT/heaptap" push -q --to "$2+http://127.0.0.1:$port" "$scratch/$1"
	end
}

# The profiles of the requests, one file each.
unpack() { # DIRECTORY
	python3 - "$1" <<-'END'
		import base64, glob, gzip, json, sys
		number = 0
		for name in glob.glob(sys.argv[1] + '/*.body'):
		    for series in json.loads(gzip.decompress(open(name, 'rb').read()))['series']:
		        for sample in series['samples']:
		            number += 1
		            with open(f'{sys.argv[1]}/{number}.pb.gz', 'wb') as file:
		                file.write(base64.b64decode(sample['rawProfile']))
	END
}

pprof() { # DIRECTORY: its profiles once more, by Go's own writer
	local profile
	for profile in "$1"/*.pb.gz; do
		go tool pprof -proto -symbolize=none -output "${profile%.pb.gz}.pprof" "$profile" >"$scratch/said" 2>&1 ||
			{ cat "$scratch/said" >&2; return 1; }
	done
}

bytes() { # FILE...
	cat "$@" | wc -c
}

compare() { # TITLE SCHEME
	local sent theirs profiles=("$scratch/$1".parca/*.pprof)
	[ "$2" = otlp ] || profiles=("$scratch/$1.$2"/*.pprof)
	sent=$(bytes "$scratch/$1.$2"/*.body) theirs=$(bytes "${profiles[@]}")
	awk -v title="$1" -v scheme="$2" -v count="${#profiles[@]}" -v sent="$sent" -v theirs="$theirs" 'BEGIN {
		missed = title != "example" && sent > theirs
		verdict = title == "example" ? "" : missed ? "  MISSED: required <= 1.0" : "  ok: required <= 1.0"
		printf "  %-9s %-9s %d profiles: %6d bytes, by go tool pprof -proto %6d: %.3f x%s\n", title, scheme, count, sent, theirs,
			sent / theirs, verdict
		exit missed }' || missed=1
}

record_node node
record example -R 4096 -- "$OUT/bench/example"
record compiler -R 4096 -- clang -O2 -Iuser -iquote user -iquote . -D_GNU_SOURCE -c -o "$scratch/object" user/base/json.c
for title in node compiler example; do
	for scheme in pyroscope parca otlp; do
		push "$title" "$scheme"
		[ "$scheme" = otlp ] || { unpack "$scratch/$title.$scheme" && pprof "$scratch/$title.$scheme"; }
		compare "$title" "$scheme"
	done
done
exit "$missed"
