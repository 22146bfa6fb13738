/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The stacks of one image, by the hash the kernel gave them. */

#include "base/hash.h"
#include "system/address_map.h"

struct stack {
	u64 hash;     /* or another number that names it: of a raw stack, of a variant */
	u64 first_ns; /* when it was first seen: which mappings its addresses mean */
	UT_hash_handle hh;
	u32 depth;
	u32 generation; /* of the mapping list it was walked by; 0: not by one, but by what is known here */
	bool truncated;
	bool stale;		/* a variant that was cut, see stack_variant.h */
	struct stack *variant;	/* the next that the same hash means at another time; NULL: no more */
	struct stack *current;	/* which of them was meant last, NULL: none yet, */
	struct mapping_era era; /* and when */
	u64 ip[];		/* leaf first, return addresses */
};

struct stack_table {
	struct stack *stacks;
	u64 variant_count;
};

void stack_table_release(struct stack_table *table);

/* Add unless there; 0 or -ENOMEM. */
int stack_table_add(struct stack_table *table, u64 hash, u64 now_ns, const u64 *ip, u32 depth, bool truncated);

struct stack *stack_table_find(const struct stack_table *table, u64 hash); /* NULL: unknown */

/* Which of the lists of process number `process`, up to generation `newest`, the stack was walked by, as its hash has it;
 * 0: none of the newest STACK_GENERATIONS. */
#define STACK_GENERATIONS 1024
u32 stack_generation(const struct stack *stack, u32 process, u32 newest);
