/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/sorted_stacks.h"

#include <errno.h>
#include <stdlib.h>

u32 sorted_stack_shared(const struct sorted_stack *a, const struct sorted_stack *b)
{
	u32 depth = 0;

	while (depth < a->depth && depth < b->depth && a->path[depth].function == b->path[depth].function)
		depth++;
	return depth;
}

static int compare_stacks(const void *left, const void *right)
{
	const struct sorted_stack *a = left, *b = right;
	u32 shared = sorted_stack_shared(a, b);

	if (shared < a->depth && shared < b->depth)
		return a->path[shared].function < b->path[shared].function ? -1 : 1;
	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	return a->path < b->path ? -1 : a->path > b->path;
}

static void reverse(struct path_step *path, u32 depth)
{
	for (u32 i = 0; i < depth / 2; i++) {
		struct path_step step = path[i];

		path[i] = path[depth - 1 - i];
		path[depth - 1 - i] = step;
	}
}

/* The stacks of one profile behind those that are there. Returns the place behind their paths. */
static struct path_step *add_stacks(struct sorted_stacks *stacks, const struct stack_steps *steps, bool from_root,
				    struct path_step *path)
{
	const struct profile *profile = steps->profile;

	for (u32 i = 0; i < profile->sample_count; i++) {
		struct sorted_stack *stack = &stacks->stacks[stacks->count++];

		*stack = (struct sorted_stack){steps, &profile->samples[i], path, 0};
		stack->depth = stack_steps_depth(steps, stack->sample);
		stack_steps_path(steps, stack->sample, path);
		if (from_root)
			reverse(path, stack->depth);
		path += stack->depth;
		if (stack->depth > stacks->depth_max)
			stacks->depth_max = stack->depth;
	}
	return path;
}

static u64 count_steps(const struct sorted_stacks *stacks)
{
	u64 count = 0;

	for (u32 i = 0; i < stacks->profile_count; i++) {
		const struct profile *profile = stacks->steps[i].profile;

		for (u32 j = 0; j < profile->sample_count; j++)
			count += stack_steps_depth(&stacks->steps[i], &profile->samples[j]);
	}
	return count;
}

/* How many there are then. */
static u64 limit_steps(struct sorted_stacks *stacks)
{
	u64 count = count_steps(stacks);

	stacks->steps_max = STACK_STEPS_MAX;
	while (count > SORTED_STACKS_STEPS_MAX && stacks->steps_max > 1) {
		stacks->steps_max /= 2;
		for (u32 i = 0; i < stacks->profile_count; i++)
			stacks->steps[i].depth_max = stacks->steps_max;
		count = count_steps(stacks);
	}
	return count;
}

int sorted_stacks_make(struct function_table *table, const struct profile *const *profiles, u32 count, bool from_root,
		       struct sorted_stacks *ret_stacks)
{
	struct sorted_stacks *stacks = ret_stacks;
	u64 samples = 0, steps;
	struct path_step *path;

	*stacks = (struct sorted_stacks){.steps = calloc(count + 1UL, sizeof(*stacks->steps))};
	if (!stacks->steps)
		return -ENOMEM;
	stacks->profile_count = count;
	for (u32 i = 0; i < count; i++) {
		if (stack_steps_make(table, profiles[i], &stacks->steps[i]))
			return -ENOMEM;
		samples += profiles[i]->sample_count;
	}
	steps = limit_steps(stacks);
	stacks->stacks = calloc(samples + 1, sizeof(*stacks->stacks));
	stacks->paths = path = calloc(steps + 1, sizeof(*stacks->paths));
	if (!stacks->stacks || !path)
		return -ENOMEM;
	for (u32 i = 0; i < count; i++)
		path = add_stacks(stacks, &stacks->steps[i], from_root, path);
	qsort(stacks->stacks, stacks->count, sizeof(*stacks->stacks), compare_stacks);
	return 0;
}

void sorted_stacks_release(struct sorted_stacks *stacks)
{
	for (u32 i = 0; stacks->steps && i < stacks->profile_count; i++)
		stack_steps_release(&stacks->steps[i]);
	free(stacks->steps);
	free(stacks->stacks);
	free(stacks->paths);
}
