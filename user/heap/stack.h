/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The stacks of one image, by the hash the kernel gave them, and what a hash means at a time. The programs walk by the
 * list of mappings that they were given last. Until they are given the next, code that has replaced other code
 *   - has the hash of the code before: then the hash means several stacks, its variants, told apart by time, and
 *   - is walked by the rules of the code before: the address in it is right, what follows is not, so the variant ends
 *     there and is called stale.
 */
#include "base/hash.h"
#include "include/counter.h"
#include "system/address_map.h"

struct stack {
	u64 hash;     /* of a raw stack or a variant: another number that names it */
	u64 first_ns; /* when it was first seen: which mappings its addresses mean */
	UT_hash_handle hh;
	u32 depth;
	u32 generation;		/* of the mapping list that the programs walked it by; 0: in user space, or not known */
	bool stale;		/* a variant that was cut */
	u8 end;			/* enum unwind_end: how the walk ended */
	struct stack *variant;	/* the next that the same hash means at another time; NULL: no more */
	struct stack *current;	/* the variant that the hash meant last; NULL: none yet */
	struct mapping_era era; /* the time in which it meant that one */
	u64 ip[];		/* leaf first, return addresses, and STACK_LEFT_OUT */
};

struct stack_table {
	struct stack *stacks;
	u64 variant_count;
};

void stack_table_release(struct stack_table *table);

/* Add unless there; 0 or -ENOMEM. */
int stack_table_add(struct stack_table *table, u64 hash, u64 now_ns, const u64 *ip, u32 depth);

/* What counts stacks that end so; COUNTER_MAX: nothing, it is whole. */
enum counter stack_end_counter(u32 end);

struct stack *stack_table_find(const struct stack_table *table, u64 hash); /* NULL: unknown */

/*
 * The generation of the list that the stack was walked by, found by trying those of process number `process` against its
 * hash, from `newest` down; 0: none of the newest STACK_GENERATIONS.
 */
#define STACK_GENERATIONS 1024
u32 stack_generation(const struct stack *stack, u32 process, u32 newest);

/*
 * The stack meant by `hash` in an event of `time_ns`, made if need be; *ret_stack NULL: the hash is unknown. The
 * mappings must be known up to that time. 0 or -ENOMEM.
 */
int stack_variant_find(struct stack_table *table, const struct address_map *mappings, u64 hash, u64 time_ns,
		       struct stack **ret_stack);
