/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* How many births a record of lifetimes has in all. */
#include "profile/lifetime.h"

static inline u64 births(const struct lifetime *lifetime)
{
	u64 count = 0;

	for (u32 bucket = 0; bucket < LIFETIME_BUCKETS; bucket++)
		count += lifetime->born[bucket];
	return count;
}
