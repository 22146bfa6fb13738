/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "heap/region_ledger.h"

#include <string.h>

#include "profile/ledger.h"

static u64 less(u64 from, u64 by)
{
	return from > by ? from - by : 0;
}

/* As the programs count: once for each region that was born there. */
static void add_site(const struct image *image, const struct region_site *site, u64 ledger[COUNTER_MAX])
{
	const struct stack *stack = stack_table_find(&image->stacks, site->key.stack);
	enum counter end;

	if (!stack) {
		/* One that waits to be walked is not lost. */
		if (!(site->key.stack & RAW_STACK_ID))
			ledger[COUNTER_MAPPING_NO_STACK] += site->mapped_count;
		return;
	}
	end = stack_end_counter(stack->end);
	if (end < COUNTER_MAX)
		ledger[end] += site->mapped_count;
	if (stack->stale)
		ledger[COUNTER_STACK_STALE] += site->mapped_count;
}

static void add_stacks(const struct image *image, u64 ledger[COUNTER_MAX])
{
	for (const struct region_site *site = image->regions.sites; site; site = site->hh.next)
		add_site(image, site, ledger);
	ledger[COUNTER_MAPPING_NO_STACK] = less(ledger[COUNTER_MAPPING_NO_STACK], image->regions.no_room_count);
}

void region_ledger_of(const struct image *image, u64 ret_ledger[COUNTER_MAX])
{
	memcpy(ret_ledger, image->ledger, COUNTER_MAX * sizeof(*ret_ledger));
	ledger_keep_mappings(ret_ledger);
	add_stacks(image, ret_ledger);
	ret_ledger[COUNTER_STACK_NO_ROOM] = image->regions.no_room_count;
}

void region_ledger_leave_out(const struct image *image, u64 ledger[COUNTER_MAX])
{
	u64 regions[COUNTER_MAX] = {0};

	add_stacks(image, regions);
	for (unsigned int i = 0; i < COUNTER_MAX; i++)
		ledger[i] = less(ledger[i], regions[i]);
	ledger[COUNTER_MAPPING_NO_STACK] = regions[COUNTER_MAPPING_NO_STACK];
}
