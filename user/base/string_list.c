/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/string_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct string_list_row {
	char **files;
	UT_hash_handle hh;
	char key[];
};

void string_list_free(char **files)
{
	for (char **name = files; name && *name; name++)
		free(*name);
	free(files);
}

u32 string_list_count(char *const *files)
{
	u32 count = 0;

	while (files && files[count])
		count++;
	return count;
}

char **string_list_copy(char *const *files)
{
	u32 count = string_list_count(files);
	char **copy = calloc(count + 1UL, sizeof(*copy));

	for (u32 i = 0; copy && i < count; i++) {
		copy[i] = strdup(files[i]);
		if (copy[i])
			continue;
		string_list_free(copy);
		return NULL;
	}
	return copy;
}

int string_list_append(char ***files, char **more)
{
	u32 count = string_list_count(*files), added = string_list_count(more);
	char **grown;

	if (!added) {
		string_list_free(more);
		return 0;
	}
	grown = reallocarray(*files, count + added + 1UL, sizeof(*grown));
	if (!grown) {
		string_list_free(more);
		return -ENOMEM;
	}
	memcpy(&grown[count], more, (added + 1UL) * sizeof(*grown));
	free(more);
	*files = grown;
	return 0;
}

int string_list_keep(struct string_list_table *table, const char *key, char **files)
{
	struct string_list_row *row;

	HASH_FIND_STR(table->rows, key, row);
	if (row)
		return string_list_append(&row->files, files);
	row = calloc(1, sizeof(*row) + strlen(key) + 1);
	if (row) {
		strcpy(row->key, key);
		row->files = files;
		HASH_ADD_STR(table->rows, key, row);
	}
	if (row && hash_added(&row->hh))
		return 0;
	free(row);
	string_list_free(files);
	return -ENOMEM;
}

char **string_list_take(struct string_list_table *table, const char *key)
{
	struct string_list_row *row;
	char **files;

	HASH_FIND_STR(table->rows, key, row);
	if (!row)
		return NULL;
	HASH_DEL(table->rows, row);
	files = row->files;
	free(row);
	return files;
}

static void row_free(struct string_list_row *row)
{
	string_list_free(row->files);
	free(row);
}

void string_list_table_release(struct string_list_table *table)
{
	hash_release(table->rows, row_free);
}
