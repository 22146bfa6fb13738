/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "heap/stack.h"

#include "include/stackhash.h"

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

int stack_table_add(struct stack_table *table, u64 hash, u64 now_ns, const u64 *ip, u32 depth, bool truncated)
{
	struct stack *stack;

	if (stack_table_find(table, hash))
		return 0;
	stack = malloc(sizeof(*stack) + depth * sizeof(*ip));
	if (!stack)
		return -ENOMEM;
	*stack = (struct stack){.hash = hash, .first_ns = now_ns, .depth = depth, .truncated = truncated};
	memcpy(stack->ip, ip, depth * sizeof(*ip));
	HASH_ADD(hh, table->stacks, hash, sizeof(stack->hash), stack);
	if (!hash_added(&stack->hh)) {
		free(stack);
		return -ENOMEM;
	}
	return 0;
}

u32 stack_generation(const struct stack *stack, u32 process, u32 newest)
{
	u32 oldest = newest > STACK_GENERATIONS ? newest - STACK_GENERATIONS : 0;

	while (newest > oldest && stackhash(stack->ip, stack->depth, stackhash_seed(process, newest)) != stack->hash)
		newest--;
	return newest > oldest ? newest : 0;
}
