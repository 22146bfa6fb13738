#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The page of a process with 100 000 different stacks and 1 000 000 live samples: made from its .pb.gz, its size, and the time until
# Chromium shows the first picture; beside that the time of a page that has nothing but a word, which is what Chromium itself takes. Each
# is the best of five, one after the other: other work only adds to it.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

mkdir "$scratch/wide"
"$OUT/bench/page" "$scratch/wide"
TIMEFORMAT='%U' # CPU time, which other work does not lengthen
made=$({ time "$OUT/heaptap" report -q --html "$scratch/page.html" "$scratch/wide"; } 2>&1)
figure 'page of 100 000 stacks: CPU time to make it' "$made" s '<' 3
figure 'its size' "$(calc "$(stat -c %s "$scratch/page.html") / 1048576")" MiB '<' 5
printf '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>word</title><h1>word</h1></html>\n' >"$scratch/word.html"
for _ in 1 2 3 4 5; do
	for page in word page; do
		node "$OUT/tests/page/paint.mjs" "$scratch/$page.html" >>"$scratch/$page.shown"
	done
done
best() { # PAGE: seconds
	calc "$(sort -n "$scratch/$1.shown" | head -1) / 1000"
}
figure 'first picture in Chromium after' "$(best page)" s '<' 1
figure 'of that, what Chromium takes to show a word' "$(best word)" s
finish
