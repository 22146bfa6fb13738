/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FORMAT_INDEX_TABLE_H
#define FORMAT_INDEX_TABLE_H
/* Lines of an index that outlive the profiles they were made of. */
#include "format/output_file.h"

/* Facts and files of the entries are the table's. Valid when zeroed. */
struct index_table {
	struct index_entry *entries;
	u32 count, capacity;
};

/* Both belong to the table from now on, also on error; of the profile only the facts stay. `files` may be NULL. 0 or
 * -ENOMEM. */
int index_table_add(struct index_table *table, struct profile *profile, char **files);

void index_table_release(struct index_table *table);

#endif
