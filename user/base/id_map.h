/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The ids that messages of one kind are referred to by, with the place of each in its array. */
#include <stddef.h>

#include "include/types.h"

struct id_row {
	u64 id;
	u32 index;
};

/* Valid when zeroed. */
struct id_map {
	struct id_row *rows;
	size_t count;
};

/* Room for `count` ids, which the caller puts into the rows. 0 or -ENOMEM. */
int id_map_init(struct id_map *table, size_t count);

/* Before the first is looked up. 0, or -EBADMSG when an id is 0 or stands twice. */
int id_map_sort(struct id_map *table);

bool id_map_find(const struct id_map *table, u64 id, u32 *ret_index);

void id_map_release(struct id_map *table);
