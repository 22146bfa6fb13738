/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STACK_H
#define STACK_H
/* The stacks of one image, by the hash the kernel gave them. */
#include <uthash.h>

#include "../include/types.h"

struct stack {
	u64 hash;
	u64 first_ns; /* when it was first seen: which mappings its addresses mean */
	UT_hash_handle hh;
	u32 depth;
	bool truncated;
	u64 ip[]; /* leaf first, return addresses */
};

struct stack_table {
	struct stack *stacks;
};

void stack_table_release(struct stack_table *table);

/* Add unless there; 0 or -ENOMEM. */
int stack_table_add(struct stack_table *table, u64 hash, u64 now_ns, const u64 *ip, u32 depth, bool truncated);

struct stack *stack_table_find(const struct stack_table *table, u64 hash); /* NULL: unknown */

#endif
