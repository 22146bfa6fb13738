/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Names of files, NULL-terminated, each and the list allocated; NULL is an empty list. */
#include "include/types.h"

void string_list_free(char **files);
u32 string_list_count(char *const *files);

char **string_list_copy(char *const *files); /* NULL: no memory */

/* Move the names of `more` behind those of *files; `more` is gone then, also on error. 0 or -ENOMEM. */
int string_list_append(char ***files, char **more);

/* Lists kept by a key until they are taken. Valid when zeroed. */
struct string_list_table {
	struct string_list_row *rows;
};

int string_list_keep(struct string_list_table *table, const char *key, char **files); /* as string_list_append */
char **string_list_take(struct string_list_table *table, const char *key);	      /* the caller's; NULL: none */
void string_list_table_release(struct string_list_table *table);
