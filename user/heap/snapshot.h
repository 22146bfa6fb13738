/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* From the recorder's live tables to an immutable profile: the only place that knows both. */
#include "heap/recorder.h"

/* The image's state at `now_ns`, without names. *ret_profile is the caller's. 0 or -ENOMEM. */
int snapshot_take(const struct recorder_options *options, struct image *image, u64 now_ns, u64 start_unix_ns,
		  struct profile **ret_profile);

/*
 * The same in two steps. The draft is what the thread that owns the recorder must copy: the counts. Its stacks, which are most of
 * the work, can be looked up by another thread, while the image lives on: stacks and mappings are only ever added to it.
 *
 * Without SNAPSHOT_STACKS each sample has depth 0, one for each stack and size. Totals are the same but for the truncated fractions of
 * stacks that turn out to be the same.
 */
struct snapshot_draft;

/* What a draft may have besides counts. */
#define SNAPSHOT_STACKS	   1u
#define SNAPSHOT_LIFETIMES 2u
#define SNAPSHOT_MEMORY	   4u /* notes for a reading of its memory, see peek.h */
#define SNAPSHOT_REGIONS                                                                                               \
	8u /* its regions, if it has any, in a profile of their own beside it; with SNAPSHOT_STACKS only */

int snapshot_draft_make(const struct recorder_options *options, struct image *image, u64 now_ns, u64 start_unix_ns,
			unsigned int parts, struct snapshot_draft **ret_draft);

/* What the profile will say besides samples, for which file system its names are to be found in. The draft's. */
struct profile *snapshot_draft_facts(struct snapshot_draft *draft);

/* Frees the draft, also on error. 0 or -ENOMEM. */
int snapshot_draft_finish(struct snapshot_draft *draft, struct profile **ret_profile);
void snapshot_draft_free(struct snapshot_draft *draft);
