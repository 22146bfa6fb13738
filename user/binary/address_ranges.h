/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SPAN_H
#define SPAN_H
/* To whom an address belongs: ranges of addresses, each with an id. Added in any order, sorted once, then searched. */
#include <stddef.h>

#include "include/types.h"

#define SPANS_MAX (1u << 24)

struct span {
	u64 low, high; /* exclusive */
	u64 id;
};

/* Valid when zeroed. */
struct span_table {
	struct span *spans;
	size_t count, capacity;
};

/* Empty ranges are left out, and those at address 0, where nothing is. 0, -EFBIG when there are SPANS_MAX, -ENOMEM. */
int span_add(struct span_table *table, u64 low, u64 high, u64 id);

/* After the last span_add, before the first span_find. */
void span_sort(struct span_table *table);

/* The one that holds `vaddr`, the narrowest of those that begin together; NULL: none. Valid until the next span_add. */
const struct span *span_find(const struct span_table *table, u64 vaddr);

void span_table_release(struct span_table *table);

#endif
