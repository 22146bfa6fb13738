/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/call_tree_gather.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double call_tree_share(const u64 value[MEASURE_MAX], const u64 whole[MEASURE_MAX])
{
	double largest = 0;

	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		if (whole[m])
			largest = fmax(largest, (double)value[m] / (double)whole[m]);
	return largest;
}

/* What is small: the nodes below a share of the whole, and what was gathered before. */
struct smallness {
	const struct call_tree *tree;
	double *share; /* by node; the first one's is infinite */
	bool *loses;   /* by node: some child of it is small */
	double least;
};

static bool is_small(const struct smallness *smallness, u32 node)
{
	return smallness->share[node] < smallness->least || smallness->tree->nodes[node].gathered;
}

/* The nodes that are left: those that are not small, and one for each parent that loses a child. */
static u32 count_left(const struct smallness *smallness)
{
	const struct call_tree *tree = smallness->tree;
	u32 left = 1;

	memset(smallness->loses, 0, tree->count * sizeof(*smallness->loses));
	for (u32 i = 1; i < tree->count; i++) {
		u32 parent = tree->nodes[i].parent;

		if (!is_small(smallness, i)) {
			left++;
		} else if (!is_small(smallness, parent) && !smallness->loses[parent]) {
			smallness->loses[parent] = true;
			left++;
		}
	}
	return left;
}

/* Raises `least`, to a thousandth of itself, until so many nodes are left. Above 1 these are two. */
static void raise_least(struct smallness *smallness, u32 nodes_max)
{
	double low = log(fmax(smallness->least, 1e-12)), high = log(2);

	if (count_left(smallness) <= nodes_max)
		return;
	while (high - low > 1e-3) {
		smallness->least = exp((low + high) / 2);
		*(count_left(smallness) <= nodes_max ? &high : &low) = (low + high) / 2;
	}
	smallness->least = exp(high);
}

void call_tree_gather_node(const struct call_tree_node *node, struct call_tree_node *into)
{
	into->gathered += node->gathered ? node->gathered : 1;
	for (unsigned int m = 0; m < MEASURE_MAX; m++) {
		into->value[m] += node->value[m];
		into->self[m] += node->value[m];
		into->variance[m] += node->variance[m];
		into->self_variance[m] += node->variance[m];
	}
	into->alloc_samples += node->alloc_samples;
	into->inuse_samples += node->inuse_samples;
}

int call_tree_gather_name(struct call_tree *tree, struct call_tree_node *gathered)
{
	char name[32];

	snprintf(name, sizeof(name), "(%" PRIu32 " smaller)", gathered->gathered);
	return function_table_text(&tree->functions, name, &gathered->name);
}

struct gathering {
	struct call_tree *tree;
	struct call_tree_node *kept;
	u32 count;
	u32 *place;		      /* in kept, of those that are */
	struct call_tree_node *small; /* by depth: the gathered child, so far, of the node on the way */
	u32 at, depth;		      /* the end of the way */
};

/* Leave the node at the end of the way: what it has lost stands behind its last descendant. */
static int leave_node(struct gathering *gathering)
{
	struct call_tree_node *small = &gathering->small[gathering->depth];
	int err = 0;

	if (small->gathered) {
		small->parent = gathering->place[gathering->at];
		err = call_tree_gather_name(gathering->tree, small);
		gathering->kept[gathering->count++] = *small;
		*small = (struct call_tree_node){0};
	}
	gathering->at = gathering->tree->nodes[gathering->at].parent;
	gathering->depth -= gathering->depth ? 1 : 0;
	return err;
}

static void keep_node(struct gathering *gathering, u32 index)
{
	const struct call_tree_node *node = &gathering->tree->nodes[index];

	gathering->place[index] = gathering->count;
	gathering->kept[gathering->count] = *node;
	gathering->kept[gathering->count++].parent = gathering->place[node->parent];
	gathering->at = index;
	gathering->depth++;
}

static int gather_nodes(struct gathering *gathering, const struct smallness *smallness)
{
	const struct call_tree_node *nodes = gathering->tree->nodes;
	int err = 0;

	gathering->kept[gathering->count++] = nodes[0];
	for (u32 i = 1; !err && i < gathering->tree->count; i++) {
		if (is_small(smallness, nodes[i].parent))
			continue;
		while (!err && gathering->at != nodes[i].parent)
			err = leave_node(gathering);
		if (is_small(smallness, i))
			call_tree_gather_node(&nodes[i], &gathering->small[gathering->depth]);
		else
			keep_node(gathering, i);
	}
	while (!err && gathering->depth)
		err = leave_node(gathering);
	return err ? err : leave_node(gathering);
}

/* Sums that have begun again from 0 may make a node smaller than its child: none is gathered before what is below it. */
static void measure_shares(const struct call_tree *tree, double *share)
{
	share[0] = INFINITY;
	for (u32 i = tree->count - 1; i; i--) {
		u32 parent = tree->nodes[i].parent;

		share[i] = fmax(share[i], call_tree_share(tree->nodes[i].value, tree->nodes[0].value));
		share[parent] = fmax(share[parent], share[i]);
	}
}

int call_tree_gather(struct call_tree *tree, double least, u32 nodes_max)
{
	struct smallness smallness = {.tree = tree, .least = least};
	struct gathering gathering = {.tree = tree};
	int err = -ENOMEM;
	u32 left;

	smallness.share = calloc(tree->count, sizeof(*smallness.share));
	smallness.loses = calloc(tree->count, sizeof(*smallness.loses));
	gathering.place = calloc(tree->count, sizeof(*gathering.place));
	if (!smallness.share || !smallness.loses || !gathering.place)
		goto out;
	measure_shares(tree, smallness.share);
	raise_least(&smallness, nodes_max);
	left = count_left(&smallness);
	gathering.kept = calloc(left, sizeof(*gathering.kept));
	gathering.small = calloc(left, sizeof(*gathering.small));
	if (!gathering.kept || !gathering.small)
		goto out;
	err = gather_nodes(&gathering, &smallness);
	free(tree->nodes);
	tree->nodes = gathering.kept;
	tree->count = gathering.count;
	gathering.kept = NULL;
out:
	free(smallness.share);
	free(smallness.loses);
	free(gathering.place);
	free(gathering.kept);
	free(gathering.small);
	return err;
}
