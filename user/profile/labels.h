/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILE_LABELS_H
#define PROFILE_LABELS_H
/* The origins of a profile of several processes, each once. */
#include "base/intern.h"
#include "profile/profile.h"

/* Valid when zeroed. The table's texts are its own. */
struct label_table {
	struct intern known;
	struct profile_labels *origins;
	u32 count, capacity;
};

/* What a sample of that origin says: index plus one, 0 when it says nothing at all. 0 or -ENOMEM. */
int labels_add(struct label_table *table, const struct profile_labels *origin, u32 *ret_origin);

void label_table_release(struct label_table *table);

#endif
