/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDTABLE_H
#define IDTABLE_H
/* The ids that messages of one kind are referred to by, with the place of each in its array. */
#include <stddef.h>

#include "include/types.h"

struct id_row {
	u64 id;
	u32 index;
};

/* Valid when zeroed. */
struct id_table {
	struct id_row *rows;
	size_t count;
};

/* Room for `count` ids, which the caller puts into the rows. 0 or -ENOMEM. */
int id_table_init(struct id_table *table, size_t count);

/* Before the first is looked up. 0, or -EBADMSG when an id is 0 or stands twice. */
int id_table_sort(struct id_table *table);

bool id_table_find(const struct id_table *table, u64 id, u32 *ret_index);

void id_table_release(struct id_table *table);

#endif
