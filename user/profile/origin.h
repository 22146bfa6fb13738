/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ORIGIN_H
#define ORIGIN_H
/* The origins of a profile of several processes, each once. */
#include "base/intern.h"
#include "profile/profile.h"

/* Valid when zeroed. The table's texts are its own. */
struct origin_table {
	struct intern known;
	struct profile_origin *origins;
	u32 count, capacity;
};

/* What a sample of that origin says: index plus one, 0 when it says nothing at all. 0 or -ENOMEM. */
int origin_add(struct origin_table *table, const struct profile_origin *origin, u32 *ret_origin);

void origin_table_release(struct origin_table *table);

#endif
