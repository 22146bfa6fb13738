/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The stacks of a profile as a tree of functions: what icicles and flame graphs draw. Frames of one name in one mapped file
 * that have the same path to them are one node, whatever their lines; inlined functions have nodes of their own. A stack
 * that is not known is a child of the first node.
 */
#include "profile/profile.h"
#include "view/function_table.h"

enum call_tree_order {
	CALL_TREE_ROOT, /* children are callees: from main down */
	CALL_TREE_LEAF, /* children are callers: from the function that allocates up */
};

struct call_tree_node {
	const char *name; /* code without one: "[file+0x12]"; the first node: "all" */
	const char *file; /* of its heaviest sample; NULL: unknown */
	u32 line;	  /* 0: unknown, or several lines of the function */
	enum frame_role role;
	u32 parent;			  /* index; the first node's is itself */
	u32 function;			  /* its number in the tree's functions; nothing in gathered nodes */
	u32 gathered;			  /* 0: a function; else "(n smaller)": stands for n children of its parent */
	u64 value[MEASURE_MAX];		  /* with its children */
	u64 self[MEASURE_MAX];		  /* without: over all nodes they add up to the first one's value */
	u64 alloc_samples, inuse_samples; /* with its children */
	/* Squares of the standard errors of `value` and of `self`, which add up as these do. */
	double variance[MEASURE_MAX], self_variance[MEASURE_MAX];
};

struct call_tree {
	struct call_tree_node
		*nodes; /* a parent, its largest child, that one's children ...; gathered ones after siblings */
	u32 count;
	enum call_tree_order order;
	enum measure by;
	u32 steps_max;			 /* of a stack; see sorted_stacks.h */
	struct function_table functions; /* and the texts of the nodes */
};

/*
 * The tree does not need the profile any longer. Values are sums of the truncated estimates of samples, so the first
 * node's are those of profile_totals. 0 or -ENOMEM; call_tree_release in both cases.
 */
int call_tree_make(const struct profile *profile, enum call_tree_order order, enum measure by,
		   struct call_tree *ret_tree);

/*
 * The same of several profiles together, in which children below `least` of the whole in every measure are gathered from
 * the beginning, as call_tree_gather does it, so that they take no memory.
 */
int call_tree_make_of(const struct profile *const *profiles, u32 count, enum call_tree_order order, enum measure by,
		      double least, struct call_tree *ret_tree);

void call_tree_release(struct call_tree *tree);
