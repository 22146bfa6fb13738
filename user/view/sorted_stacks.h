/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The stacks of one or of several profiles, sorted by their functions: those that begin alike are neighbours. */
#include "view/function_table.h"

struct sorted_stack {
	const struct stack_steps *steps;
	const struct profile_sample *sample;
	struct path_step *path;
	u32 depth;
};

/* All stacks together have no more steps: where they would, each is cut to fewer. */
#define SORTED_STACKS_STEPS_MAX (64 << 20)

struct sorted_stacks {
	struct stack_steps *steps; /* by profile */
	u32 profile_count;
	struct sorted_stack *stacks; /* one for each sample */
	u32 count, depth_max;
	struct path_step *paths; /* of all */
	u32 steps_max;		 /* of each stack */
};

/* From the root on, else from the leaf. 0 or -ENOMEM; sorted_stacks_release in both cases. */
int sorted_stacks_make(struct function_table *table, const struct profile *const *profiles, u32 count, bool from_root,
		       struct sorted_stacks *ret_stacks);
void sorted_stacks_release(struct sorted_stacks *stacks);

/* With how many functions both begin. */
u32 sorted_stack_shared(const struct sorted_stack *a, const struct sorted_stack *b);
