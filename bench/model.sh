#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The model collector: memory of 100 000 sites with 1 000 000 live samples, and time for each event.
# shellcheck source=bench/measure.bash
. "$(dirname "$0")/measure.bash"

answer=$("$OUT/bench/model")
read -r site mebibytes event model <<<"$answer"
figure 'a site' "$site" B '<' 1024
figure '100 000 sites, 1 000 000 live samples' "$mebibytes" MiB '<' 400
figure 'an event, model alone' "$model" ns '<' 1000
echo "an event, all of the recorder: $event ns"
finish
