/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Which id an address belongs to: ranges of addresses, each with an id. Added in any order, sorted once, then searched. */
#include <stddef.h>

#include "include/types.h"

#define ADDRESS_RANGES_MAX (1u << 24)

struct address_range {
	u64 low, high; /* exclusive */
	u64 id;
};

/* Valid when zeroed. */
struct address_ranges {
	struct address_range *spans;
	size_t count;
};

/* Empty ranges are left out, and those at address 0, where nothing is. 0, -EFBIG when there are ADDRESS_RANGES_MAX, -ENOMEM. */
int address_ranges_add(struct address_ranges *table, u64 low, u64 high, u64 id);

/* After the last address_ranges_add, before the first address_ranges_find. */
void address_ranges_sort(struct address_ranges *table);

/* The one that holds `vaddr`, the narrowest of those that begin together; NULL: none. Valid until the next address_ranges_add. */
const struct address_range *address_ranges_find(const struct address_ranges *table, u64 vaddr);

void address_ranges_release(struct address_ranges *table);
