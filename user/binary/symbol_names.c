/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of functions and of source files; owned by symbol. */
#include "binary/symbol_names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "binary/mangled.h"

struct name {
	char *readable; /* NULL: the same, or nobody asked */
	bool asked;
	UT_hash_handle hh;
	char text[];
};

static void name_free(struct name *name)
{
	free(name->readable);
	free(name);
}

void symbol_names_release(struct symbol_names *table)
{
	hash_release(table->names, name_free);
}

/* NULL: no memory. */
static struct name *name_get(struct symbol_names *table, const char *text)
{
	size_t length = strlen(text);
	struct name *name;

	HASH_FIND(hh, table->names, text, length, name);
	if (name)
		return name;
	name = calloc(1, sizeof(*name) + length + 1);
	if (!name)
		return NULL;
	memcpy(name->text, text, length + 1);
	HASH_ADD(hh, table->names, text, length, name);
	if (!hash_added(&name->hh)) {
		free(name);
		return NULL;
	}
	return name;
}

int symbol_names_function(struct symbol_names *table, const char *mangled, const char **ret_name,
			  const char **ret_readable)
{
	struct name *name = name_get(table, mangled);

	if (!name)
		return -ENOMEM;
	if (!name->asked)
		name->readable = symbol_readable(mangled);
	name->asked = true;
	*ret_name = name->text;
	*ret_readable = name->readable ? name->readable : name->text;
	return 0;
}

int symbol_names_keep(struct symbol_names *table, const char *text, const char **ret_text)
{
	const struct name *name = text ? name_get(table, text) : NULL;

	if (text && !name)
		return -ENOMEM;
	*ret_text = name ? name->text : NULL;
	return 0;
}
