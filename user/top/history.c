/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/history.h"

#include <math.h>
#include <string.h>

void history_look(struct history *history, u64 now_ns)
{
	struct history_row *row, *next;

	HASH_ITER (hh, history->rows, row, next)
		if (row->look != history->look && !row->marked) {
			HASH_DEL(history->rows, row);
			free(row);
		}
	history->look++;
	memmove(history->at_ns + 1, history->at_ns, HISTORY_RATES * sizeof(u64));
	history->at_ns[0] = now_ns;
	history->at_count += history->at_count <= HISTORY_RATES;
}

static struct history_row *find(struct history *history, u64 key)
{
	struct history_row *row;

	HASH_FIND(hh, history->rows, &key, sizeof(key), row);
	if (row)
		return row;
	row = calloc(1, sizeof(*row));
	if (!row)
		return NULL;
	row->key = key;
	HASH_ADD(hh, history->rows, key, sizeof(row->key), row);
	return hash_kept(&row->hh, row);
}

const struct history_row *history_add(struct history *history, u64 key, u64 inuse_bytes, u64 allocated_bytes)
{
	struct history_row *row = find(history, key);

	if (!row || row->look == history->look)
		return row;
	if (row->look + 1 != history->look) /* it was away */
		row->allocated_count = 0;
	row->look = history->look;
	if (row->count == HISTORY_POINTS)
		memmove(row->inuse, row->inuse + 1, --row->count * sizeof(*row->inuse));
	row->inuse[row->count++] = (float)inuse_bytes;
	memmove(row->allocated + 1, row->allocated, HISTORY_RATES * sizeof(u64));
	row->allocated[0] = allocated_bytes;
	row->allocated_count += row->allocated_count <= HISTORY_RATES;
	return row;
}

void history_past(struct history *history, u64 key, const u64 *inuse_bytes, u32 count)
{
	struct history_row *row = find(history, key);

	if (!row)
		return;
	history->past = true;
	row->count = 0;
	for (u32 i = count < HISTORY_POINTS ? 0 : count - HISTORY_POINTS; i < count; i++)
		row->inuse[row->count++] = (float)inuse_bytes[i];
}

double history_rate(const struct history *history, const struct history_row *row)
{
	u32 oldest = row && row->allocated_count ? row->allocated_count - 1 : 0;

	if (!oldest || history->at_ns[0] <= history->at_ns[oldest])
		return NAN;
	return ((double)row->allocated[0] - (double)row->allocated[oldest]) * 1e9 /
	       (double)(history->at_ns[0] - history->at_ns[oldest]);
}

void history_unmark(struct history *history)
{
	for (struct history_row *row = history->rows; row; row = row->hh.next)
		row->marked = false;
	history->marked = false;
}

void history_mark(struct history *history, u64 now_ns)
{
	for (struct history_row *row = history->rows; row; row = row->hh.next) {
		row->marked = row->look == history->look;
		row->baseline = row->count ? (double)row->inuse[row->count - 1] : 0;
	}
	history->marked = true;
	history->marked_ns = now_ns;
}

double history_change(const struct history *history, const struct history_row *row)
{
	if (!history->marked || !row || !row->count)
		return NAN;
	return (double)row->inuse[row->count - 1] - (row->marked ? row->baseline : 0);
}

void history_release(struct history *history)
{
	hash_release(history->rows, free);
	site_table_release(&history->sites);
	*history = (struct history){0};
}
