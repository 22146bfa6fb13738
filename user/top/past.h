/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a recording's snapshots (record --interval) know of the time before its end: for sparklines. A target that runs has none. */
#include "live/source.h"
#include "top/screen_state.h"
#include "view/timeline.h"

#define PAST_MOMENTS 15 /* read of each process, spread over the recording: with its end they fill a column */
#define PAST_READS_MAX                                                                                                 \
	240 /* of all processes together: a second or two; where each would have fewer than 4, none is read */

struct past_process {
	u32 pid, image;
	u32 count;
	u64 inuse[PAST_MOMENTS]; /* bytes, oldest first */
};

/* Valid when zeroed. */
struct past {
	struct past_process *processes;
	u32 process_count;
	struct timeline *sites; /* of a process; NULL: it has no snapshots */
};

/* Read the past of the target's sites, or where it has no pid, of all processes listed. What cannot be read is left out. */
void past_read(struct source *source, const struct source_listing *listing, const struct screen_target *target,
	       struct past *ret_past);
void past_release(struct past *past);
