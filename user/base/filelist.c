/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of files that were written for somebody who is to be told later. */
#define HASH_NONFATAL_OOM	     1
#define uthash_nonfatal_oom(element) (out_of_memory = true)
#include "base/filelist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct filelist_row {
	char **files;
	UT_hash_handle hh;
	char key[];
};

void filelist_free(char **files)
{
	for (char **name = files; name && *name; name++)
		free(*name);
	free(files);
}

u32 filelist_count(char *const *files)
{
	u32 count = 0;

	while (files && files[count])
		count++;
	return count;
}

int filelist_append(char ***files, char **more)
{
	u32 count = filelist_count(*files), added = filelist_count(more);
	char **grown;

	if (!added) {
		filelist_free(more);
		return 0;
	}
	grown = reallocarray(*files, count + added + 1UL, sizeof(*grown));
	if (!grown) {
		filelist_free(more);
		return -ENOMEM;
	}
	memcpy(&grown[count], more, (added + 1UL) * sizeof(*grown));
	free(more);
	*files = grown;
	return 0;
}

int filelist_keep(struct filelist_table *table, const char *key, char **files)
{
	bool out_of_memory = false;
	struct filelist_row *row;

	HASH_FIND_STR(table->rows, key, row);
	if (row)
		return filelist_append(&row->files, files);
	row = calloc(1, sizeof(*row) + strlen(key) + 1);
	if (row) {
		strcpy(row->key, key);
		row->files = files;
		HASH_ADD_STR(table->rows, key, row);
	}
	if (row && !out_of_memory)
		return 0;
	free(row);
	filelist_free(files);
	return -ENOMEM;
}

char **filelist_take(struct filelist_table *table, const char *key)
{
	struct filelist_row *row;
	char **files;

	HASH_FIND_STR(table->rows, key, row);
	if (!row)
		return NULL;
	HASH_DEL(table->rows, row);
	files = row->files;
	free(row);
	return files;
}

void filelist_table_release(struct filelist_table *table)
{
	struct filelist_row *row, *next;

	HASH_ITER (hh, table->rows, row, next) {
		HASH_DEL(table->rows, row);
		filelist_free(row->files);
		free(row);
	}
}
