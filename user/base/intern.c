/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A set of byte strings; used wherever equal things of several profiles become one. */
#include "base/intern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct interned *intern_find(const struct intern *intern, const void *bytes, u32 size)
{
	struct interned *entry;

	HASH_FIND(hh, intern->entries, bytes, size, entry);
	return entry;
}

int intern_add(struct intern *intern, const void *bytes, u32 size, const struct interned **ret_entry)
{
	struct interned *entry;

	*ret_entry = intern_find(intern, bytes, size);
	if (*ret_entry)
		return 0;
	entry = malloc(sizeof(*entry) + size);
	if (!entry)
		return -ENOMEM;
	entry->index = HASH_COUNT(intern->entries);
	entry->size = size;
	memcpy(entry->bytes, bytes, size);
	HASH_ADD_KEYPTR(hh, intern->entries, entry->bytes, size, entry);
	if (!hash_added(&entry->hh)) {
		free(entry);
		return -ENOMEM;
	}
	*ret_entry = entry;
	return 1;
}

u32 intern_count(const struct intern *intern)
{
	return HASH_COUNT(intern->entries);
}

void intern_release(struct intern *intern)
{
	hash_release(intern->entries, free);
}
