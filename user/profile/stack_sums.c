/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/stack_sums.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/array.h"

static u64 add(u64 a, u64 b)
{
	return a > INT64_MAX - b ? INT64_MAX : a + b;
}

static u64 clamp(u64 value)
{
	return value > INT64_MAX ? INT64_MAX : value;
}

int stack_sums_add(struct stack_sums *sums, const struct profile *profile, const struct profile_sample *sample)
{
	static const u32 none;
	const struct interned *stack;
	u64 value[MEASURE_MAX];
	int added;

	if (array_grow(&sums->rows, sums->count, 1))
		return -ENOMEM;
	added = intern_add(&sums->stacks, sample->depth ? sample->location : &none,
			   sample->depth * (u32)sizeof(*sample->location), &stack);
	if (added < 0)
		return -ENOMEM;
	if (added)
		sums->rows[sums->count++] =
			(struct stack_sum){.location = (const u32 *)stack->bytes, .depth = sample->depth};
	profile_sample_values(profile, sample, value);
	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		sums->rows[stack->index].value[m] = add(sums->rows[stack->index].value[m], clamp(value[m]));
	return 0;
}

void stack_sums_release(struct stack_sums *sums)
{
	intern_release(&sums->stacks);
	free(sums->rows);
	*sums = (struct stack_sums){0};
}
