/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "heap/stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/event.h"
#include "include/stackhash.h"
#include "include/unwind.h"

void stack_table_release(struct stack_table *table)
{
	hash_release(table->stacks, free);
}

struct stack *stack_table_find(const struct stack_table *table, u64 hash)
{
	struct stack *stack;

	HASH_FIND(hh, table->stacks, &hash, sizeof(hash), stack);
	return stack;
}

/* Must not be there yet. NULL: no memory. */
static struct stack *add(struct stack_table *table, u64 hash, u64 now_ns, const u64 *ip, u32 depth)
{
	struct stack *stack = malloc(sizeof(*stack) + depth * sizeof(*ip));

	if (!stack)
		return NULL;
	*stack = (struct stack){.hash = hash, .first_ns = now_ns, .depth = depth};
	memcpy(stack->ip, ip, depth * sizeof(*ip));
	HASH_ADD(hh, table->stacks, hash, sizeof(stack->hash), stack);
	return hash_kept(&stack->hh, stack);
}

int stack_table_add(struct stack_table *table, u64 hash, u64 now_ns, const u64 *ip, u32 depth)
{
	return stack_table_find(table, hash) || add(table, hash, now_ns, ip, depth) ? 0 : -ENOMEM;
}

enum counter stack_end_counter(u32 end)
{
	switch ((enum unwind_end)end) {
	case UNWIND_TRUNCATED:
		return COUNTER_STACK_TRUNCATED;
	case UNWIND_NO_MAPPING:
		return COUNTER_STACK_NO_MAPPING;
	case UNWIND_NO_TABLE:
		return COUNTER_STACK_NO_TABLE;
	case UNWIND_NO_RULE:
		return COUNTER_STACK_NO_RULE;
	case UNWIND_UNREADABLE:
		return COUNTER_STACK_UNREADABLE;
	case UNWIND_STUCK:
		return COUNTER_STACK_STUCK;
	case UNWIND_TOO_DEEP:
		return COUNTER_STACK_TOO_DEEP;
	default:
		return COUNTER_MAX;
	}
}

u32 stack_generation(const struct stack *stack, u32 process, u32 newest)
{
	u32 oldest = newest > STACK_GENERATIONS ? newest - STACK_GENERATIONS : 0;

	while (newest > oldest && stackhash(stack->ip, stack->depth, stackhash_seed(process, newest)) != stack->hash)
		newest--;
	return newest > oldest ? newest : 0;
}

/* --- variants --- */

/* Apart from hashes and from the numbers of raw stacks, of which there are fewer. */
#define VARIANT_ID (RAW_STACK_ID | 1ULL << 62)

/* The address of the code before a return address: the call. */
static u64 code_address(const struct stack *stack, u32 frame)
{
	return stack->ip[frame] - 1;
}

/* Did the programs, walking by their list of that generation, take the frame for other code than it was? */
static bool is_misjudged(const struct address_map *mappings, const struct stack *stack, u32 frame, u64 time_ns)
{
	u64 address = code_address(stack, frame);
	const struct mapping *believed = address_map_find_known(mappings, address, stack->generation);

	/* Where they know of no code they do not walk on: such a stack is sent raw. */
	return believed && !mapping_same_code(believed, address_map_find(mappings, address, time_ns), address);
}

/* How many frames of the stack are right; *ret_stale when the last of them is misjudged. */
static u32 right_depth(const struct address_map *mappings, const struct stack *stack, u64 time_ns, bool *ret_stale)
{
	for (u32 i = 0; i < stack->depth; i++) {
		*ret_stale = is_misjudged(mappings, stack, i, time_ns);
		if (*ret_stale)
			return i + 1;
	}
	return stack->depth;
}

static bool means_the_same(const struct address_map *mappings, const struct stack *variant, u64 time_ns)
{
	for (u32 i = 0; i < variant->depth; i++) {
		u64 address = code_address(variant, i);

		if (!mapping_same_code(address_map_find(mappings, address, variant->first_ns),
				       address_map_find(mappings, address, time_ns), address))
			return false;
	}
	return true;
}

static int variant_new(struct stack_table *table, struct stack *stack, u32 depth, bool stale, u64 time_ns,
		       struct stack **ret_stack)
{
	u64 id = VARIANT_ID | ++table->variant_count;
	struct stack *variant = add(table, id, time_ns, stack->ip, depth);

	if (!variant)
		return -ENOMEM;
	variant->stale = stale;
	variant->end = stack->end;
	variant->variant = stack->variant;
	*ret_stack = stack->variant = variant;
	return 0;
}

int stack_variant_find(struct stack_table *table, const struct address_map *mappings, u64 hash, u64 time_ns,
		       struct stack **ret_stack)
{
	struct stack *stack = stack_table_find(table, hash), *variant = stack;
	bool stale = false;
	u32 depth;
	int err;

	*ret_stack = stack;
	if (!stack || hash & RAW_STACK_ID)
		return 0;
	if (stack->current && address_map_is_in_era(mappings, &stack->era, time_ns)) {
		*ret_stack = stack->current;
		return 0;
	}
	depth = right_depth(mappings, stack, time_ns, &stale);
	while (variant &&
	       (variant->depth != depth || variant->stale != stale || !means_the_same(mappings, variant, time_ns)))
		variant = variant->variant;
	if (!variant) {
		err = variant_new(table, stack, depth, stale, time_ns, &variant);
		if (err)
			return err;
	}
	stack->current = *ret_stack = variant;
	stack->era = address_map_era(mappings, time_ns);
	return 0;
}
