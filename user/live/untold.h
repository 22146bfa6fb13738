/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What nobody is told of: allocations of processes that ended, and were dropped since many others ended as well, between two answers to one
 * who adds up what is allocated from each to the next (source_want.adds_up). An answer tells once it is kept: who asked may fail to use it, and
 * then what it had is to be in the next one.
 */
#include "heap/recorder.h"
#include "live/source.h"

/* Valid when zeroed. */
struct untold {
	struct source_untold sum;
	struct source_untold
		open; /* in the last answer, of those dropped since; it is not known so far whether that is kept */
	int said;     /* that, by untold_say */
};

/* The image is in an answer, with all that it has allocated by now. */
void untold_answer(struct image *image);

/* Is the last answer kept? By any thread. */
void untold_say(struct untold *untold, bool kept);

/* Take note of what was said, if anything was: by the thread that has the images, before it answers again, and before it drops any. */
void untold_settle(struct untold *untold, struct recorder *recorder);

/* Has it allocated anything that is not told, so that the next answer should have it? */
bool untold_remains(const struct image *image);

/* It is dropped: add what is not told. */
void untold_add(struct untold *untold, const struct image *image);
