#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The data of a page, of a process with 100 000 different stacks and 1 000 000 live samples: read from its .pb.gz and made.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

read -r _ read_ms _ read_bytes _ _ page_ms _ page_bytes _ <<<"$("$OUT/bench/page_data" | tr "\n" " ")"
figure "a page's data of 100 000 stacks: CPU time with reading" "$(calc "($read_ms + $page_ms) / 1000")" s '<' 3
figure "its size, of a .pb.gz of $(calc "$read_bytes / 1048576") MiB" "$(calc "$page_bytes / 1048576")" MiB '<' 5
finish
