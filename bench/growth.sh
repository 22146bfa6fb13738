#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The verdict on whole processes, minute by minute, at the default interval: programs that leak, fill, warm up, oscillate
# (tests/e2e/targets/target_growth.cc), and Python and Node.js where they are there. 15 minutes, and 3 GB of memory.
#
#   bench/growth.sh [SECONDS]     docs/lifetimes.md has what it printed
set -euo pipefail

OUT=${OUT:-build}
seconds=${1:-900}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if [ "$(id -u)" != 0 ]; then
	echo "$0: tracing needs root" >&2
	exit 3
fi

cat >"$scratch/leak.py" <<'END'
import os, sys, time

start, kept, requests = time.monotonic(), {}, 0
while (now := time.monotonic() - start) < float(sys.argv[1]):
    while requests < now * 1000:
        kept[requests] = {"id": requests, "name": "user %d" % requests, "data": "x" * 300}
        requests += 1
        [str(i) for i in range(100)]
    time.sleep(0.02)
os._exit(0)
END
cat >"$scratch/leak.js" <<'END'
const kept = [], start = Date.now();
setInterval(() => {
	const seconds = (Date.now() - start) / 1000;
	while (kept.length < seconds * 16) kept.push(Buffer.alloc(65536));
	for (let i = 0; i < 5; i++) Buffer.alloc(65536);
	if (seconds > +process.argv[2]) process.exit(0);
}, 20);
END
cat >"$scratch/all" <<END
#!/bin/sh
PYTHONMALLOC=malloc /usr/bin/python3 "$scratch/leak.py" $seconds &
[ ! -x /usr/bin/node ] || /usr/bin/node "$scratch/leak.js" $seconds &
"$OUT/tests/e2e/target_growth" all $seconds
wait
END
chmod +x "$scratch/all"

"$OUT/heaptap" record -q -o "$scratch/profiles" --interval 60 --follow -- "$scratch/all"

verdict() { # FILE
	"$OUT/heaptap" report --lifetimes "$1" | sed -n 's/^The whole process:* //; T; s/^grows by \(.*\) a second (.*/grows \1/; s/\.$//; p'
}

# One column a minute: g growing, f filling, s steady, t transient, m mixed, e too early, ? unknown
for last in "$scratch"/profiles/[0-9]*.pb.gz; do
	name=$(basename "$last" .pb.gz)
	printf '%-14s ' "${name#*.}"
	for minute in "$scratch/profiles/snapshots/"*/"${name%%.*}".*.pb.gz; do # it may have had another name then
		[ -e "$minute" ] || continue
		case $(verdict "$minute") in
		grows*) printf g ;;
		filling) printf f ;;
		steady) printf s ;;
		transient) printf t ;;
		mixed) printf m ;;
		too*) printf e ;;
		*) printf '?' ;;
		esac
	done
	printf '  %s\n' "$(verdict "$last")"
done
