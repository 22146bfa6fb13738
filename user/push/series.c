/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/series.h"

#include <string.h>

#include "base/intern.h"
#include "base/text.h"

static void free_row(struct push_series *row)
{
	label_list_release(&row->labels);
	stack_sums_release(&row->sums);
	free(row->exe);
	free(row->container_id);
	free(row->space);
	free(row);
}

/* Add one of that key; the labels belong to it from now on, or are gone. NULL: no memory. */
static struct push_series *add(struct push_series_table *table, struct label_list *labels,
			       const struct label_facts *facts, const struct intern_key *key)
{
	struct push_series *row = calloc(1, sizeof(*row) + key->size);

	if (!row) {
		label_list_release(labels);
		return NULL;
	}
	row->labels = *labels;
	memcpy(row->key, key->bytes, key->size);
	if (text_copy(facts->exe, &row->exe) || text_copy(facts->container_id, &row->container_id) ||
	    text_copy(facts->space, &row->space)) {
		free_row(row);
		return NULL;
	}
	HASH_ADD(hh, table->rows, key[0], key->size, row);
	if (hash_added(&row->hh))
		return row;
	free_row(row);
	return NULL;
}

/* Whose last process was seen longest ago, if that is long enough. */
static bool give_way(struct push_series_table *table, u64 now_ns)
{
	struct push_series *row, *next, *oldest = NULL;

	HASH_ITER (hh, table->rows, row, next)
		if (!oldest || row->seen_ns < oldest->seen_ns)
			oldest = row;
	if (!oldest || now_ns - oldest->seen_ns < SERIES_AGE_NS)
		return false;
	HASH_DEL(table->rows, oldest);
	free_row(oldest);
	return true;
}

static struct push_series *take(struct push_series_table *table, const struct label_facts *facts, bool other,
				u64 now_ns)
{
	struct intern_key key = {0};
	struct push_series *row = NULL;
	struct label_list labels;
	bool full = false;

	if (labels_make(facts, table->own, table->store, &labels))
		return NULL;
	for (u32 i = 0; i < labels.count; i++) {
		intern_key_put_text(&key, labels.labels[i].name);
		intern_key_put_text(&key, labels.labels[i].value);
	}
	if (key.bytes && !key.failed)
		HASH_FIND(hh, table->rows, key.bytes, key.size, row);
	if (!row && !other)
		full = HASH_COUNT(table->rows) >= SERIES_MAX && !give_way(table, now_ns);
	if (row || full || key.failed)
		label_list_release(&labels);
	else
		row = add(table, &labels, facts, &key);
	free(key.bytes);
	if (row)
		row->seen_ns = now_ns;
	if (!full)
		return row;
	table->beyond++;
	return take(table, &(const struct label_facts){.host = facts->host, .comm = "other"}, true, now_ns);
}

struct push_series *push_series_take(struct push_series_table *table, const struct label_facts *facts, u64 now_ns)
{
	return take(table, facts, false, now_ns);
}

const char *push_series_space(const struct push_series_table *table, const char *container_id)
{
	const struct push_series *row;

	for (row = table->rows; row; row = row->hh.next)
		if (row->space && row->container_id && !strcmp(row->container_id, container_id))
			return row->space;
	return NULL;
}

void push_series_clear(struct push_series_table *table)
{
	struct push_series *row, *next;

	HASH_ITER (hh, table->rows, row, next)
		stack_sums_release(&row->sums);
}

void push_series_release(struct push_series_table *table)
{
	hash_release(table->rows, free_row);
}
