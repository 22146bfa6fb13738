#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Lifetimes: the price of an event, of a verdict, and the size of a site's record; 100 000 sites, 10 000 000 events.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

answer=$("$OUT/bench/lifetime")
read -r event verdict bytes unknown <<<"$answer"
echo "100000 sites, of which $unknown had too few samples for a verdict"
figure 'an event' "$event" ns '<' 1000
figure 'a verdict' "$verdict" ns '<' 100000
figure 'a record' "$bytes" B '<' 1024
finish
