/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NAMETABLE_H
#define NAMETABLE_H
/* Names, each kept and demangled once. Used by symbol. */

struct name;

struct name_table {
	struct name *names; /* NULL: none yet */
};

void name_table_release(struct name_table *table);

/* Living as long as the table, one pointer for equal names; *ret_readable is *ret_name where nothing is to be demangled.
 * 0 or -ENOMEM. */
int name_table_function(struct name_table *table, const char *mangled, const char **ret_name,
			const char **ret_readable);

/* The same for what is no function's name. NULL remains NULL. */
int name_table_keep(struct name_table *table, const char *text, const char **ret_text);

#endif
