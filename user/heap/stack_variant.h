/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a stack's hash means at a time. The programs walk by the list of mappings that they were given last, and name
 * what they find by it; until they are given the next, code that has come to where other code was
 *   - is called by the same hash as the code before: then the hash means several stacks, its variants, told apart by
 *     time, and
 *   - is walked by the rules of the code before: the address in it is right, what follows is not, so the variant ends
 *     there and is called stale.
 */
#include "heap/stack.h"

/*
 * The stack meant by `hash` in an event of `time_ns`, made if need be; *ret_stack NULL: the hash is unknown. The
 * mappings must be known up to that time. 0 or -ENOMEM.
 */
int stack_variant_find(struct stack_table *table, const struct address_map *mappings, u64 hash, u64 time_ns,
		       struct stack **ret_stack);
