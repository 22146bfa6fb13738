/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The profiles that somebody else made anyway, as a source for pushing_interval: `record` hands each of them over when it writes it. What
 * processes had that have ended stays until an interval with it has been made, so that it is pushed once, and what a process had before it
 * executed another program is told apart from what it has now.
 */
#include "live/source.h"

#define INTAKE_ENDED_MAX                                                                                               \
	1024 /* processes that end within an interval; what more of them had is not pushed, and counted */

struct intake_part {
	struct merge *merge; /* NULL: there is none */
	struct index_table facts;
};

struct intake {
	struct source source;
	u64 sample_bytes;
	bool named, alloc_only;
	struct intake_part ended, living;
	bool lacks; /* a profile of this interval is not in there */
	u64 lost;   /* processes that have ended and were not taken, for want of memory or beyond INTAKE_ENDED_MAX */
	bool left_out_go; /* a Go program's own was left out, which can be in no sum */
};

/*
 * Processes were `named`, see struct source_listing. What samples at another interval than `sample_bytes` can be in no sum, and neither can what
 * Go programs say, who know what is in use, where that is not recorded (`alloc_only`).
 */
void intake_open(struct intake *intake, bool named, bool alloc_only, u64 sample_bytes);

/*
 * A profile with its names, which stays the caller's; NULL: it could not be made, so that this interval cannot be. `process`: a number
 * that each image has alone. `last`: none follows of that image. By one thread at a time, as all the others.
 */
void intake_add(struct intake *intake, const struct profile *profile, u32 process, bool last);

/* The next interval begins; `sent`: the one before has been made. */
void intake_next(struct intake *intake, bool sent);

/* What was not pushed, and the next step. STATUS_DONE, or STATUS_FAILED where something was lost. */
int intake_say_losses(const struct intake *intake);

void intake_release(struct intake *intake);
