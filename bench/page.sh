#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The page of a process with 100 000 different stacks and 1 000 000 live samples: made from its .pb.gz, its size, and the time until
# Chromium shows the first picture (the best of five: other work only adds to it).
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

mkdir "$scratch/wide"
"$OUT/bench/page" "$scratch/wide"
TIMEFORMAT='%U' # CPU time, which other work does not lengthen
made=$({ time "$OUT/heaptap" report -q --html "$scratch/page.html" "$scratch/wide"; } 2>&1)
figure 'page of 100 000 stacks: CPU time to make it' "$made" s '<' 3
figure 'its size' "$(calc "$(stat -c %s "$scratch/page.html") / 1048576")" MiB '<' 5
shown=$(for _ in 1 2 3 4 5; do node "$OUT/tests/page/paint.mjs" "$scratch/page.html"; done | sort -n | head -1)
figure 'first picture in Chromium after' "$(calc "$shown / 1000")" s '<' 1
finish
