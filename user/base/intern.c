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
	if (!hash_kept(&entry->hh, entry))
		return -ENOMEM;
	*ret_entry = entry;
	return 1;
}

void intern_key_put(struct intern_key *key, const void *bytes, size_t size)
{
	size_t capacity = 2 * (key->size + size);

	if (key->failed || !size)
		return;
	if (key->size + size > key->capacity) {
		u8 *grown = capacity > UINT32_MAX ? NULL : realloc(key->bytes, capacity);

		key->failed = !grown;
		if (!grown)
			return;
		key->bytes = grown;
		key->capacity = (u32)capacity;
	}
	memcpy(key->bytes + key->size, bytes, size);
	key->size += size;
}

void intern_key_put_u64(struct intern_key *key, u64 number)
{
	intern_key_put(key, &number, sizeof(number));
}

void intern_key_put_text(struct intern_key *key, const char *text)
{
	intern_key_put(key, text ? "+" : "-", 1);
	intern_key_put(key, text, text ? strlen(text) + 1 : 0);
}

int intern_add_key(struct intern *intern, struct intern_key *key, u32 *ret_index)
{
	const struct interned *entry;
	int added = key->failed ? -ENOMEM : intern_add(intern, key->bytes, key->size, &entry);

	free(key->bytes);
	if (added >= 0)
		*ret_index = entry->index;
	return added;
}

u32 intern_count(const struct intern *intern)
{
	return HASH_COUNT(intern->entries);
}

void intern_release(struct intern *intern)
{
	hash_release(intern->entries, free);
}
