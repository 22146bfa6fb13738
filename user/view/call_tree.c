/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stacks are sorted by their functions, and the tree is walked as they come: what a stack shares with the one before stays
 * open, the rest of that one is complete. A complete node that is too small is taken back, so that there are never more
 * nodes than are kept and a way from the first to a leaf.
 */
#include "view/call_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "view/call_tree_gather.h"
#include "view/sorted_stacks.h"

/* --- nodes --- */

/* A node on the way whose children are still to come. */
struct open_node {
	u32 index;
	const struct profile_line *line; /* of its heaviest sample; NULL: none */
	u64 heaviest;			 /* what that has */
	struct call_tree_node small;	 /* its gathered child so far */
};

struct building {
	struct call_tree *tree;
	double least;
	u64 whole[MEASURE_MAX];
	struct open_node *way;
	u32 depth; /* of the way, without the first node */
};

static int open_node(struct building *building, u32 function)
{
	struct call_tree *tree = building->tree;
	u32 parent = building->way[building->depth].index;

	if (tree->count == UINT32_MAX || array_grow(&tree->nodes, tree->count, 1))
		return -ENOMEM;
	building->way[++building->depth] = (struct open_node){.index = tree->count};
	tree->nodes[tree->count++] = (struct call_tree_node){.parent = parent, .function = function};
	return 0;
}

static void see_sample(struct building *building, const struct sorted_stack *stack, u32 depth, u64 value, bool is_new)
{
	struct open_node *open = &building->way[depth + 1];
	struct call_tree_node *node = &building->tree->nodes[open->index];
	const struct profile_line *line = stack_step_line(stack->steps, stack->path[depth].step);
	u32 number = line ? line->line : 0;

	node->line = is_new || node->line == number ? number : 0;
	if (!is_new && value <= open->heaviest)
		return;
	open->heaviest = value;
	open->line = line;
	node->role = stack_step_role(stack->steps, stack->path[depth].step);
}

static void count_sample(const struct sorted_stack *stack, const u64 value[MEASURE_MAX], struct call_tree_node *node)
{
	double variance[MEASURE_MAX];

	profile_sample_variances(stack->steps->profile, stack->sample, variance);
	for (unsigned int m = 0; m < MEASURE_MAX; m++) {
		node->self[m] += value[m];
		node->value[m] += value[m];
		node->self_variance[m] += variance[m];
		node->variance[m] += variance[m];
	}
	node->alloc_samples += stack->sample->alloc_count;
	node->inuse_samples += stack->steps->profile->alloc_only ? 0 : stack->sample->inuse_count;
}

static void add_to_parent(const struct call_tree_node *node, struct call_tree_node *parent)
{
	for (unsigned int m = 0; m < MEASURE_MAX; m++) {
		parent->value[m] += node->value[m];
		parent->variance[m] += node->variance[m];
	}
	parent->alloc_samples += node->alloc_samples;
	parent->inuse_samples += node->inuse_samples;
}

/* A node that is kept has all its children: its texts, and the gathered child behind them. */
static int complete_node(struct building *building, struct open_node *open)
{
	struct call_tree *tree = building->tree;
	struct call_tree_node *node = &tree->nodes[open->index];

	node->name = tree->functions.names[node->function];
	if (function_table_text(&tree->functions, open->line ? open->line->file : NULL, &node->file))
		return -ENOMEM;
	if (!open->small.gathered)
		return 0;
	open->small.parent = open->index;
	if (tree->count == UINT32_MAX || array_grow(&tree->nodes, tree->count, 1))
		return -ENOMEM;
	tree->nodes[tree->count] = open->small;
	return call_tree_gather_name(tree, &tree->nodes[tree->count++]);
}

/*
 * The last one of the way. One that is small has no child left, and so is the last of all; unless its sums are so large that they
 * have begun again from 0: then what is kept below it keeps it.
 */
static int close_node(struct building *building)
{
	struct open_node *open = &building->way[building->depth--], *parent = &building->way[building->depth];
	struct call_tree *tree = building->tree;
	const struct call_tree_node *node = &tree->nodes[open->index];
	bool has_child = open->index != tree->count - 1;

	add_to_parent(node, &tree->nodes[parent->index]);
	if (has_child || call_tree_share(node->value, building->whole) >= building->least)
		return complete_node(building, open);
	call_tree_gather_node(node, &parent->small);
	tree->count--;
	return 0;
}

static int add_stack(struct building *building, const struct sorted_stack *stack, u32 shared)
{
	u64 value[MEASURE_MAX];
	int err = 0;

	while (!err && building->depth > shared)
		err = close_node(building);
	profile_sample_values(stack->steps->profile, stack->sample, value);
	for (u32 depth = 0; !err && depth < stack->depth; depth++) {
		if (depth >= shared)
			err = open_node(building, stack->path[depth].function);
		if (!err)
			see_sample(building, stack, depth, value[building->tree->by], depth >= shared);
	}
	if (!err)
		count_sample(stack, value, &building->tree->nodes[building->way[building->depth].index]);
	return err;
}

static int build(struct building *building, const struct sorted_stacks *stacks)
{
	struct call_tree *tree = building->tree;
	int err = 0;

	building->way = calloc(stacks->depth_max + 1UL, sizeof(*building->way));
	if (!building->way || array_grow(&tree->nodes, tree->count, 1))
		return -ENOMEM;
	tree->nodes[tree->count++] = (struct call_tree_node){0};
	err = function_table_name(&tree->functions, "all", &tree->nodes[0].function);
	for (u32 i = 0; !err && i < stacks->count; i++)
		err = add_stack(building, &stacks->stacks[i],
				i ? sorted_stack_shared(&stacks->stacks[i - 1], &stacks->stacks[i]) : 0);
	while (!err && building->depth)
		err = close_node(building);
	return err ? err : complete_node(building, &building->way[0]);
}

/* --- order --- */

/* `arg`: the tree. Pointers to nodes. */
static int compare_siblings(const void *a, const void *b, void *arg)
{
	const struct call_tree_node *left = *(const struct call_tree_node *const *)a;
	const struct call_tree_node *right = *(const struct call_tree_node *const *)b;
	enum measure by = ((const struct call_tree *)arg)->by;
	int order;

	if (!left->gathered != !right->gathered)
		return left->gathered ? 1 : -1;
	if (left->value[by] != right->value[by])
		return left->value[by] > right->value[by] ? -1 : 1;
	order = left->gathered ? 0 : strcmp(left->name, right->name);
	return order ? order : left < right ? -1 : left > right;
}

/* Children of node i are child[first[i]] to child[first[i + 1]]. */
struct arrangement {
	u32 *first;
	u32 *next;  /* of each node, the place of the child that comes next */
	u32 *place; /* of each node in what is arranged */
	const struct call_tree_node **child;
	struct call_tree_node *nodes; /* arranged */
};

static void sort_siblings(struct call_tree *tree, struct arrangement *arrangement)
{
	u32 *first = arrangement->first, *next = arrangement->next;

	for (u32 i = 1; i < tree->count; i++)
		first[tree->nodes[i].parent + 1]++;
	for (u32 i = 0; i < tree->count; i++)
		first[i + 1] += first[i];
	memcpy(next, first, tree->count * sizeof(*next));
	for (u32 i = 1; i < tree->count; i++)
		arrangement->child[next[tree->nodes[i].parent]++] = &tree->nodes[i];
	memcpy(next, first, tree->count * sizeof(*next));
	for (u32 i = 0; i < tree->count; i++)
		if (first[i + 1] - first[i] > 1)
			qsort_r(arrangement->child + first[i], first[i + 1] - first[i], sizeof(*arrangement->child),
				compare_siblings, tree);
}

/* Each node before its children, and these before its next sibling. */
static void place_nodes(const struct call_tree *tree, struct arrangement *arrangement)
{
	u32 at = 0;

	arrangement->nodes[0] = tree->nodes[0];
	for (u32 count = 1; count < tree->count; count++) {
		const struct call_tree_node *child;

		while (arrangement->next[at] == arrangement->first[at + 1])
			at = tree->nodes[at].parent;
		child = arrangement->child[arrangement->next[at]++];
		arrangement->nodes[count] = *child;
		arrangement->nodes[count].parent = arrangement->place[at];
		at = (u32)(child - tree->nodes);
		arrangement->place[at] = count;
	}
}

static int arrange(struct call_tree *tree)
{
	struct arrangement arrangement = {
		.first = calloc(tree->count + 1UL, sizeof(u32)),
		.next = calloc(tree->count, sizeof(u32)),
		.place = calloc(tree->count, sizeof(u32)),
		.child = calloc(tree->count, sizeof(*arrangement.child)),
		.nodes = calloc(tree->count, sizeof(*arrangement.nodes)),
	};
	bool has_room =
		arrangement.first && arrangement.next && arrangement.place && arrangement.child && arrangement.nodes;

	if (has_room) {
		sort_siblings(tree, &arrangement);
		place_nodes(tree, &arrangement);
		free(tree->nodes);
		tree->nodes = arrangement.nodes;
	} else {
		free(arrangement.nodes);
	}
	free(arrangement.first);
	free(arrangement.next);
	free(arrangement.place);
	free(arrangement.child);
	return has_room ? 0 : -ENOMEM;
}

static void sum_totals(const struct profile *const *profiles, u32 count, u64 ret_whole[MEASURE_MAX])
{
	for (u32 i = 0; i < count; i++) {
		u64 total[MEASURE_MAX];

		profile_totals(profiles[i], total);
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			ret_whole[m] += total[m];
	}
}

int call_tree_make_of(const struct profile *const *profiles, u32 count, enum call_tree_order order, enum measure by,
		      double least, struct call_tree *ret_tree)
{
	struct building building = {.tree = ret_tree, .least = least};
	struct sorted_stacks stacks;
	int err;

	*ret_tree = (struct call_tree){.order = order, .by = by};
	sum_totals(profiles, count, building.whole);
	err = sorted_stacks_make(&ret_tree->functions, profiles, count, order == CALL_TREE_ROOT, &stacks);
	ret_tree->steps_max = stacks.steps_max;
	err = err ? err : build(&building, &stacks);
	sorted_stacks_release(&stacks);
	free(building.way);
	return err ? err : arrange(ret_tree);
}

int call_tree_make(const struct profile *profile, enum call_tree_order order, enum measure by,
		   struct call_tree *ret_tree)
{
	return call_tree_make_of(&profile, 1, order, by, 0, ret_tree);
}

void call_tree_release(struct call_tree *tree)
{
	function_table_release(&tree->functions);
	free(tree->nodes);
}
