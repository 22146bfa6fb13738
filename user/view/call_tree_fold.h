/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What another profile of the same program has at the nodes of a tree: an earlier moment, or one of two that are compared. */
#include "view/call_tree.h"

/*
 * *ret_self, for the caller to free, has what each of the tree's nodes has without its children. Samples whose stack has no
 * node count for the gathered child of the last node on their way, else for that node. 0 or -ENOMEM.
 */
int call_tree_fold(struct call_tree *tree, const struct profile *profile, u64 (**ret_self)[MEASURE_MAX]);
