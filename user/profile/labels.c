/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/labels.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/text.h"

static int number_of(struct label_table *table, const struct profile_labels *labels, u32 *ret_index)
{
	struct intern_key key = {0};

	intern_key_put_u64(&key, labels->pid);
	intern_key_put_u64(&key, labels->group);
	intern_key_put_text(&key, labels->comm);
	intern_key_put_text(&key, labels->container);
	intern_key_put_text(&key, labels->container_id);
	return intern_add_key(&table->known, &key, ret_index);
}

int labels_add(struct label_table *table, const struct profile_labels *labels, u32 *ret_labels)
{
	struct profile_labels copy = {.pid = labels->pid, .group = labels->group};
	int added = -ENOMEM;
	u32 index = 0;

	*ret_labels = 0;
	if (!labels->pid && !labels->comm && !labels->container && !labels->container_id && !labels->group)
		return 0;
	/* Copied first: what is known cannot be taken back. */
	if (!array_grow(&table->sets, table->count, 1) && !text_copy(labels->comm, &copy.comm) &&
	    !text_copy(labels->container, &copy.container) && !text_copy(labels->container_id, &copy.container_id))
		added = number_of(table, labels, &index);
	if (added == 1)
		table->sets[table->count++] = copy;
	else
		profile_labels_release(&copy);
	if (added < 0)
		return added;
	*ret_labels = index + 1;
	return 0;
}

void label_table_release(struct label_table *table)
{
	for (u32 i = 0; i < table->count; i++)
		profile_labels_release(&table->sets[i]);
	free(table->sets);
	intern_release(&table->known);
}
