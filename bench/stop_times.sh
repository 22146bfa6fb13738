#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For how long a process stands still while the jumps to the sampler are written into its code, and taken out again: by number of
# threads, of which a quarter run. What other programs do on the machine lengthens it, as each running thread must come to its turn.
"$OUT/bench/stop_times" 1 4 10 100
