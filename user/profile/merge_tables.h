/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The inside of a merge: its tables, and how a location of one process comes into them. For merge.c. */
#include "base/intern.h"
#include "profile/merge.h"
#include "profile/labels.h"

#define UNSEEN 0xffffffffu

/* Where files go that have no place: above all user addresses of today, below what pprof takes for the kernel's. */
#define MERGE_TABLES_PLACE 0x0010000000000000ULL

struct merge {
	struct profile profile; /* its facts are literals or borrowed */
	struct intern mappings, locations, stacks, samples;
	struct label_table labels;
	u32 *shared; /* of `samples`, those that are added to: their places */
	u64 place;   /* the next free one */
};

/* What a profile's own indices have become; UNSEEN: not needed yet. */
struct passage {
	struct merge *merge;
	const struct profile *from;
	u32 *mapping, *location, *labels;
	u32 *stack; /* of the sample at hand */
};

/* The location of passage->from as the merge has it, with its mapping. 0 or -ENOMEM. */
int merge_tables_location(struct passage *passage, const struct profile_location *from, u32 *ret_index);
