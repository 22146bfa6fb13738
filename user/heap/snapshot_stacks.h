/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Stacks of an image as stacks of a profile: addresses and times become locations in mappings. */
#include "base/intern.h"
#include "heap/stack.h"
#include "profile/profile.h"

struct snapshot_stacks {
	struct profile *profile;
	struct address_map *mappings;		       /* the image's, frozen; owned */
	struct intern known_mappings, known_locations; /* those in the profile already, by their indices there */
	u32 *mapping;				       /* of the image's mappings: index in the profile */
	struct recent *recent;			       /* by address; as many as recent_count, a power of two */
	u32 recent_count;
};

/* Give the profile the mappings. Valid when zeroed but for `mappings`. 0 or -ENOMEM. */
int snapshot_stacks_begin(struct snapshot_stacks *stacks, struct profile *profile);

/*
 * Into sample->location, which has room for the stack's depth.
 * A frame-pointer walk over code without frame pointers yields numbers that are no code. The leaf is always right; from
 * the first frame on that lies in no mapping nothing is, so the stack ends there. 0 or -ENOMEM.
 */
int snapshot_stacks_add(struct snapshot_stacks *stacks, const struct stack *stack, struct profile_sample *sample);

/* In PROFILE_REGIONS, what an allocator has mapped gets PROFILE_ALLOCATOR as its leaf. 0 or -ENOMEM. */
int snapshot_stacks_mark(struct snapshot_stacks *stacks, struct profile_sample *sample);

void snapshot_stacks_release(struct snapshot_stacks *stacks);
