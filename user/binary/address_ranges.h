/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Which id an address belongs to: ranges are added in any order, sorted once, then searched. */
#include <stddef.h>

#include "include/types.h"

#define ADDRESS_RANGES_MAX (1u << 24)

struct address_range {
	u64 low, high; /* exclusive */
	u64 id;
};

/* Valid when zeroed. The owner frees `spans`. */
struct address_ranges {
	struct address_range *spans;
	size_t count;
};

/* Empty ranges are left out, and those at address 0, where nothing is. 0; -EFBIG: there are ADDRESS_RANGES_MAX; -ENOMEM. */
int address_ranges_add(struct address_ranges *table, u64 low, u64 high, u64 id);

void address_ranges_sort(struct address_ranges *table);

/* The one that holds `vaddr`, the narrowest of those that begin together; NULL: none. */
const struct address_range *address_ranges_find(const struct address_ranges *table, u64 vaddr);
