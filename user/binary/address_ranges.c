/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "binary/address_ranges.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

int address_ranges_add(struct address_ranges *table, u64 low, u64 high, u64 id)
{
	/* Linkers leave functions they threw away at address 0. */
	if (!low || low >= high)
		return 0;
	if (table->count >= ADDRESS_RANGES_MAX)
		return -EFBIG;
	if (array_grow(&table->spans, table->count, 1))
		return -ENOMEM;
	table->spans[table->count++] = (struct address_range){.low = low, .high = high, .id = id};
	return 0;
}

static int span_compare(const void *a, const void *b)
{
	const struct address_range *x = a, *y = b;

	if (x->low != y->low)
		return x->low < y->low ? -1 : 1;
	if (x->high != y->high)
		return x->high > y->high ? -1 : 1; /* the narrowest of those that start together is found first */
	return (x->id > y->id) - (x->id < y->id);
}

void address_ranges_sort(struct address_ranges *table)
{
	if (table->count)
		qsort(table->spans, table->count, sizeof(*table->spans), span_compare);
}

const struct address_range *address_ranges_find(const struct address_ranges *table, u64 vaddr)
{
	u64 begun = array_count_upto(table->spans, table->count, vaddr);

	return begun && vaddr < table->spans[begun - 1].high ? &table->spans[begun - 1] : NULL;
}
