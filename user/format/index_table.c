/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growing table of index lines; used by aggregate and report. */
#include "base/string_list.h"
#include "format/index_table.h"

#include <errno.h>
#include <stdlib.h>

static int grow(struct index_table *table)
{
	u32 capacity = table->capacity ? 2 * table->capacity : 64;
	struct index_entry *entries;

	if (table->count < table->capacity)
		return 0;
	entries = reallocarray(table->entries, capacity, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	table->entries = entries;
	table->capacity = capacity;
	return 0;
}

int index_table_add(struct index_table *table, struct profile *profile, char **files)
{
	if (!files)
		files = calloc(1, sizeof(*files));
	if (!files || grow(table)) {
		string_list_free(files);
		profile_free(profile);
		return -ENOMEM;
	}
	table->entries[table->count++] = index_entry_of(profile, files);
	profile_strip(profile);
	return 0;
}

void index_table_release(struct index_table *table)
{
	for (u32 i = 0; i < table->count; i++) {
		string_list_free((char **)table->entries[i].files);
		profile_free((struct profile *)table->entries[i].facts);
	}
	free(table->entries);
}
