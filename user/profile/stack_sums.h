/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Estimates added up by stack, whatever size their objects have and whoever allocated them: for readers that have no place for
 * either, and that charge for each sample. Valid when zeroed.
 */
#include "base/intern.h"
#include "profile/profile.h"

struct stack_sum {
	const u32 *location; /* leaf first, indices as in the profile; the table's own */
	u32 depth;
	u64 value[MEASURE_MAX]; /* at most INT64_MAX, the largest number that formats hold */
};

struct stack_sums {
	struct intern stacks;
	struct stack_sum *rows;
	u32 count;
};

/* One sample of `profile`, which is no difference of what is in use. 0 or -ENOMEM. All must be of one profile. */
int stack_sums_add(struct stack_sums *sums, const struct profile *profile, const struct profile_sample *sample);

void stack_sums_release(struct stack_sums *sums);
