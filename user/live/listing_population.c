/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/listing_population.h"

void listing_population(const struct source_listing *listing, struct population *ret_population)
{
	population_sum(listing->processes.entries, listing->processes.count, ret_population);
	for (u32 i = 0; i < listing->dropped.count; i++)
		population_add(ret_population, &listing->dropped.entries[i]);
}
