/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An array of label sets, and the index of each by its content. */
#include "profile/labels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* At the end of the table, unless something fails. */
static int append(struct label_table *table, const struct profile_labels *from)
{
	struct profile_labels *to;

	if (table->count == table->capacity) {
		u32 capacity = table->capacity ? 2 * table->capacity : 16;

		to = reallocarray(table->sets, capacity, sizeof(*to));
		if (!to)
			return -ENOMEM;
		table->sets = to;
		table->capacity = capacity;
	}
	to = &table->sets[table->count];
	*to = (struct profile_labels){.pid = from->pid, .group = from->group};
	if (text_copy(from->comm, &to->comm) || text_copy(from->container, &to->container) ||
	    text_copy(from->container_id, &to->container_id)) {
		profile_labels_release(to);
		return -ENOMEM;
	}
	table->count++;
	return 0;
}

/* Equal labels, and only those, have equal bytes here. NULL without memory. */
static char *make_key(const struct profile_labels *labels, u32 *ret_size)
{
	const char *texts[] = {labels->comm, labels->container, labels->container_id};
	char *key = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&key, &size);

	if (!out)
		return NULL;
	fprintf(out, "%u %u", labels->pid, labels->group);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		fputc(texts[i] ? '+' : '-', out);
		if (texts[i])
			fwrite(texts[i], 1, strlen(texts[i]) + 1, out);
	}
	if (fclose(out) || size > UINT32_MAX) {
		free(key);
		return NULL;
	}
	*ret_size = (u32)size;
	return key;
}

int labels_add(struct label_table *table, const struct profile_labels *labels, u32 *ret_labels)
{
	const struct interned *entry;
	char *key;
	u32 size;
	int added;

	*ret_labels = 0;
	if (!labels->pid && !labels->comm && !labels->container && !labels->container_id && !labels->group)
		return 0;
	key = make_key(labels, &size);
	if (!key)
		return -ENOMEM;
	/* Appended first: an entry cannot be taken out of `known` again. */
	entry = intern_find(&table->known, key, size);
	added = entry ? 0 : append(table, labels);
	if (!entry && !added) {
		added = intern_add(&table->known, key, size, &entry);
		if (added < 0)
			profile_labels_release(&table->sets[--table->count]);
	}
	free(key);
	if (added < 0)
		return -ENOMEM;
	*ret_labels = entry->index + 1;
	return 0;
}

void label_table_release(struct label_table *table)
{
	for (u32 i = 0; i < table->count; i++)
		profile_labels_release(&table->sets[i]);
	free(table->sets);
	intern_release(&table->known);
}
