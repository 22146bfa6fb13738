/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FILELIST_H
#define FILELIST_H
/* Names of files, NULL-terminated, each and the list allocated; NULL is an empty list. */
#include "include/types.h"

void filelist_free(char **files);
u32 filelist_count(char *const *files);

/* Move the names of `more` behind those of *files; `more` is gone then, also on error. 0 or -ENOMEM. */
int filelist_append(char ***files, char **more);

/* Lists kept by a key until somebody wants them. Valid when zeroed. */
struct filelist_table {
	struct filelist_row *rows;
};

int filelist_keep(struct filelist_table *table, const char *key, char **files); /* as filelist_append */
char **filelist_take(struct filelist_table *table, const char *key);		/* the caller's; NULL: none */
void filelist_table_release(struct filelist_table *table);

#endif
