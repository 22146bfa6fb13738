#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Which of the calls that tracing takes a user without capabilities may make with a BPF token (Linux 6.9 and later).
set -eu
echo "kernel $(uname -r), kernel.perf_event_paranoid $(cat /proc/sys/kernel/perf_event_paranoid)"
"$OUT/bench/token"
