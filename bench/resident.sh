#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What --resident costs: heaptap's CPU to look up 100 000 live objects of another process, and for how long that process stood still
# meanwhile, beside an equal time in which nobody looked. ROUNDS rounds; medians.
ROUNDS=${ROUNDS:-11}
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

cpu=() looked=() alone=()
for ((round = 0; round < ROUNDS; round++)); do
	answer=$("$OUT/bench/resident" 100000)
	read -r a b c <<<"$answer"
	cpu+=("$a") looked+=("$b") alone+=("$c")
done
figure 'CPU to look up 100 000 objects' "$(median "${cpu[@]}")" s '<' 0.5
figure 'longest pause of the process meanwhile' "$(median "${looked[@]}")" ms
figure 'in an equal time alone' "$(median "${alone[@]}")" ms
finish
