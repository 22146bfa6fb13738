/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/call_tree_fold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where paths go on from a node: to its child of that function. */
struct way {
	u32 from, function;
	u32 to;
	UT_hash_handle hh;
};

struct fold {
	const struct call_tree *tree;
	struct way *ways; /* by from and function */
	struct way *pool; /* by node */
	u32 *gathered;	  /* the gathered child of each node; 0: none */
};

#define WAY_KEY_SIZE (2 * sizeof(u32))

static int open_ways(struct fold *fold)
{
	for (u32 i = 1; i < fold->tree->count; i++) {
		const struct call_tree_node *node = &fold->tree->nodes[i];
		struct way *way = &fold->pool[i];

		if (node->gathered) {
			fold->gathered[node->parent] = i;
			continue;
		}
		*way = (struct way){.from = node->parent, .function = node->function, .to = i};
		HASH_ADD(hh, fold->ways, from, WAY_KEY_SIZE, way);
		if (!hash_added(&way->hh))
			return -ENOMEM;
	}
	return 0;
}

/* `path` is from the leaf on. */
static u32 find_node(const struct fold *fold, const struct path_step *path, u32 depth)
{
	u32 at = 0;

	for (u32 i = 0; i < depth; i++) {
		u32 place = fold->tree->order == CALL_TREE_ROOT ? depth - 1 - i : i;
		struct way key = {.from = at, .function = path[place].function}, *way;

		HASH_FIND(hh, fold->ways, &key, WAY_KEY_SIZE, way);
		if (!way)
			return fold->gathered[at] ? fold->gathered[at] : at;
		at = way->to;
	}
	return at;
}

static int add_samples(const struct fold *fold, const struct stack_steps *steps, u64 (*self)[MEASURE_MAX])
{
	const struct profile *profile = steps->profile;
	struct path_step *path;
	u32 depth_max = 1;

	for (u32 i = 0; i < profile->sample_count; i++)
		if (stack_steps_depth(steps, &profile->samples[i]) > depth_max)
			depth_max = stack_steps_depth(steps, &profile->samples[i]);
	path = calloc(depth_max, sizeof(*path));
	if (!path)
		return -ENOMEM;
	for (u32 i = 0; i < profile->sample_count; i++) {
		const struct profile_sample *sample = &profile->samples[i];
		u64 value[MEASURE_MAX];
		u32 node;

		stack_steps_path(steps, sample, path);
		node = find_node(fold, path, stack_steps_depth(steps, sample));
		profile_sample_values(profile, sample, value);
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			self[node][m] += value[m];
	}
	free(path);
	return 0;
}

int call_tree_fold(struct call_tree *tree, const struct profile *profile, u64 (**ret_self)[MEASURE_MAX])
{
	struct stack_steps steps;
	struct fold fold = {.tree = tree,
			    .pool = calloc(tree->count, sizeof(*fold.pool)),
			    .gathered = calloc(tree->count, sizeof(*fold.gathered))};
	u64(*self)[MEASURE_MAX] = calloc(tree->count, sizeof(*self));
	int err = stack_steps_make(&tree->functions, profile, &steps);

	steps.depth_max = tree->steps_max;
	if (!fold.pool || !fold.gathered || !self)
		err = -ENOMEM;
	err = err ? err : open_ways(&fold);
	err = err ? err : add_samples(&fold, &steps, self);
	HASH_CLEAR(hh, fold.ways);
	stack_steps_release(&steps);
	free(fold.pool);
	free(fold.gathered);
	*ret_self = self;
	if (err) {
		free(self);
		*ret_self = NULL;
	}
	return err;
}
