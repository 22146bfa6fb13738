/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/id_map.h"

#include <errno.h>
#include <stdlib.h>

static int id_compare(const void *a, const void *b)
{
	const struct id_row *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

int id_map_init(struct id_map *table, size_t count)
{
	table->rows = calloc(count + 1, sizeof(*table->rows));
	table->count = count;
	return table->rows ? 0 : -ENOMEM;
}

int id_map_sort(struct id_map *table)
{
	qsort(table->rows, table->count, sizeof(*table->rows), id_compare);
	for (size_t i = 0; i < table->count; i++)
		if (!table->rows[i].id || (i && table->rows[i].id == table->rows[i - 1].id))
			return -EBADMSG;
	return 0;
}

bool id_map_find(const struct id_map *table, u64 id, u32 *ret_index)
{
	const struct id_row key = {.id = id};
	const struct id_row *row = bsearch(&key, table->rows, table->count, sizeof(*table->rows), id_compare);

	if (row)
		*ret_index = row->index;
	return row;
}

void id_map_release(struct id_map *table)
{
	free(table->rows);
}
