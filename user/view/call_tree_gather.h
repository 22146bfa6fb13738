/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A tree that is small enough to be shown, of which nothing is left out. */
#include "view/call_tree.h"

/*
 * Children that are below `least` of the whole in every measure become one gathered child of their parent, at most
 * `nodes_max` (2 or more) nodes in all: `least` is raised until they fit. Totals stay exact. 0 or -ENOMEM.
 */
int call_tree_gather(struct call_tree *tree, double least, u32 nodes_max);

/* The largest share of the whole that a value has in any measure. */
double call_tree_share(const u64 value[MEASURE_MAX], const u64 whole[MEASURE_MAX]);

/* Add a node, with its children, to a gathered one, which is zeroed before its first; and name that one at the end. */
void call_tree_gather_node(const struct call_tree_node *node, struct call_tree_node *into);
int call_tree_gather_name(struct call_tree *tree, struct call_tree_node *gathered); /* 0 or -ENOMEM */
