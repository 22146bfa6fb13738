#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the resident memory of redis, python3, node, Java and nginx consists of, as docs/memory.md has it; each is left out that is not
# there. A program works for some seconds, heaptap looks at it, and it is ended. Needs root.
set -euo pipefail

OUT=${OUT:-build}
scratch=$(mktemp -d)
target=''

end() {
	[ -z "$target" ] || { kill "$target" && wait "$target"; } 2>/dev/null || :
	target=''
}

leave() {
	end
	rm -rf "$scratch"
}
trap leave EXIT

start() { # COMMAND...
	"$@" >"$scratch/said" 2>&1 </dev/null &
	target=$!
}

# Record what `work` does, then print the table and end the target.
show() { # TITLE WORK [OPTION...]
	local title=$1 work=$2 recorder tries
	shift 2
	"$OUT/heaptap" record -o "$scratch/of-$title" "$@" -p "$target" 2>"$scratch/heaptap" &
	recorder=$!
	for ((tries = 0; tries < 3000; tries++)); do
		! grep -q ' tracing ' "$scratch/heaptap" || break
		sleep 0.01
	done
	$work
	kill -INT "$recorder"
	wait "$recorder"
	echo "== $title"
	"$OUT/heaptap" report "$scratch/of-$title" | sed -n '/^Memory/,/^$/p'
	end
}

# --- redis: values from before heaptap came, which go, and new ones, which stay ---
redis() {
	redis-cli -s "$scratch/redis" "$@" >/dev/null
}

fill() {
	redis debug populate 200000 new 300
	redis eval "for i = 0, 99999 do redis.call('del', 'old:' .. i) end" 0
	# For a little while: jemalloc gives pages back ten seconds after they became free.
	sleep 1
	redis-cli -s "$scratch/redis" info memory | grep -E '^(used_memory|allocator_resident):' >"$scratch/own"
}

if command -v redis-server >/dev/null; then
	start redis-server --port 0 --unixsocket "$scratch/redis" --save '' --enable-debug-command yes
	until [ -S "$scratch/redis" ]; do sleep 0.1; done
	redis debug populate 100000 old 200
	show redis fill
	cat "$scratch/own"
fi

# --- programs with runtimes ---
pause() {
	sleep 6
}

cat >"$scratch/keep.py" <<'END'
import time
old = [bytes(1000) for i in range(20000)]
keep = []
while True:
    keep.append(bytearray(50000))
    if len(keep) > 300:
        keep.clear()
    [str(i) for i in range(20000)]
    time.sleep(0.02)
END
start python3 "$scratch/keep.py"
sleep 2
show python3 pause

cat >"$scratch/keep.js" <<'END'
const keep = [];
setInterval(() => {
	keep.push(Buffer.alloc(100000, 1), new Array(10000).fill({}));
	if (keep.length > 400)
		keep.length = 0;
}, 20);
END
if command -v node >/dev/null; then
	start node "$scratch/keep.js"
	sleep 2
	show node pause
fi

cat >"$scratch/Keep.java" <<'END'
import java.nio.ByteBuffer;
import java.util.ArrayList;

public class Keep {
	public static void main(String[] arguments) throws Exception {
		ArrayList<Object> keep = new ArrayList<>();

		for (;;) {
			keep.add(new byte[100000]);
			keep.add(ByteBuffer.allocateDirect(50000));
			if (keep.size() > 800)
				keep.clear();
			Thread.sleep(10);
		}
	}
}
END
if command -v javac >/dev/null; then
	javac -d "$scratch" "$scratch/Keep.java"
	start java -cp "$scratch" Keep
	sleep 2
	show java pause
fi

# --- nginx ---
ask() {
	for ((i = 0; i < 50; i++)); do
		curl -s --compressed --unix-socket "$scratch/nginx.sock" http://localhost/page -o /dev/null
	done
}

nginx=$(PATH=$PATH:/usr/sbin:$OUT/tests/e2e/servers/usr/sbin command -v nginx || :)
if [ "$nginx" ]; then
	head -c 100000 /dev/zero >"$scratch/page"
	cat >"$scratch/conf" <<END
daemon off; master_process off; error_log $scratch/err; pid $scratch/pid; events {}
http {
	access_log off; client_body_temp_path $scratch/a; proxy_temp_path $scratch/b; fastcgi_temp_path $scratch/c;
	uwsgi_temp_path $scratch/d; scgi_temp_path $scratch/e;
	server { listen unix:$scratch/nginx.sock; root $scratch; gzip on; gzip_types *; }
}
END
	start "$nginx" -p "$scratch" -c "$scratch/conf"
	until [ -S "$scratch/nginx.sock" ]; do sleep 0.1; done
	show nginx ask -R 64K
fi

# --- what a reading costs: the kernel walks the page tables ---
cat >"$scratch/gibibyte.py" <<'END'
import mmap, time
memory = mmap.mmap(-1, 1 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory.madvise(mmap.MADV_NOHUGEPAGE)
for at in range(0, 1 << 30, 4096):
    memory[at] = 1
print("ready", flush=True)
time.sleep(1000)
END
cat >"$scratch/read.py" <<'END'
import sys, time
taken = []
for _ in range(15):
    begun = time.thread_time()
    open(f"/proc/{sys.argv[1]}/smaps").read()
    taken.append((time.thread_time() - begun) * 1e3)
print(f"== smaps of 1 GiB in pages of 4 KiB: {sorted(taken)[7]:.1f} ms of CPU, the median of 15")
END
start python3 "$scratch/gibibyte.py"
until grep -q ready "$scratch/said"; do sleep 0.1; done
python3 "$scratch/read.py" "$target"
end
