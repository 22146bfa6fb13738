#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# docs/top.png: `heaptap top` on the small server of `make demo`, as a terminal shows it: its call sites, and the stack of the one that
# leaks. Needs root, tmux and chromium. Usage: top.sh HEAPTAP EXAMPLE PNG
set -eu
heaptap=$1 example=$2 png=$3
dir=$(mktemp -d /tmp/heaptap.XXXXXX) # which is in the picture
columns=84

screen() { tmux -S "$dir/tmux" "$@"; }
finish() {
	screen kill-server 2>/dev/null || :
	rm -rf "$dir"
}
trap finish EXIT

# Until these words are shown; the example runs for a minute at most.
await() {
	tries=0
	until screen capture-pane -p | grep -q -e "$1"; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || { echo "top.sh: '$1' is not shown" >&2; exit 1; }
		sleep 0.1
	done
}

# What is shown, as HTML: the styles of ncurses become spans.
html() {
	screen capture-pane -ep | awk '
		function style(codes,   list, count, i, classes) {
			count = split(codes == "" ? "0" : codes, list, ";")
			for (i = 1; i <= count; i++) {
				if (list[i] == 0) delete on
				if (list[i] >= 30 && list[i] <= 39) { delete on["c31"]; delete on["c33"]; delete on["c36"] }
				if (list[i] != 0 && list[i] != 39) on["c" list[i]] = 1
			}
			classes = ""
			for (i in on) classes = classes " " i
			return classes
		}
		{
			gsub(/&/, "\\&amp;"); gsub(/</, "\\&lt;")
			line = ""
			while (match($0, /\033\[[0-9;]*m/)) {
				line = line substr($0, 1, RSTART - 1) "</span><span class=\"" style(substr($0, RSTART + 2, RLENGTH - 3)) "\">"
				$0 = substr($0, RSTART + RLENGTH)
			}
			classes = ""
			for (i in on) classes = classes " " i
			print line $0
		}'
}

cp "$example" "$dir/example"
screen -f /dev/null start-server ';' set-option -g status off ';' set-option -g default-terminal tmux-256color ';' \
	new-session -d -x $columns -y 14 "LC_ALL=C.UTF-8 '$heaptap' top --delay 0.5 -- '$dir/example'"
await ' growing '
await ' \([789]\.[0-9]\|[0-9][0-9]\.[0-9]\) s, one'
screen send-keys Down
await 'cache_session'
sleep 0.5
sites=$(html)
screen send-keys Up
screen resize-window -x $columns -y 25
screen send-keys Enter
await 'stack of its heaviest sample'
stack=$(html)
screen send-keys q

cat >"$dir/top.html" <<-PAGE
	<!doctype html><meta charset="utf-8"><style>
	body { margin: 0; background: #16181d; color: #d7dae0; font: 14px/17px "DejaVu Sans Mono", monospace }
	pre { margin: 8px 10px; font: inherit } pre + pre { border-top: 1px solid #444; padding-top: 8px }
	.c1 { font-weight: bold } .c2 { color: #9298a4 } .c4 { text-decoration: underline }
	.c7 { background: #d7dae0; color: #16181d } .c31 { color: #ff7b72 } .c33 { color: #e3b341 } .c36 { color: #56d4dd }
	</style><pre><span>$sites</span></pre><pre><span>$stack</span></pre>
PAGE
chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
	--disable-component-update --disable-sync --user-data-dir="$dir/chromium" --hide-scrollbars --window-size=730,706 \
	--screenshot="$dir/top.png" "file://$dir/top.html" 2>"$dir/chromium.log" || { cat "$dir/chromium.log" >&2; exit 1; }
cp "$dir/top.png" "$png"
