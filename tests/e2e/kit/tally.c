/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of (caller, size) with their object counts: merging and comparing them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tally.h"

void tally_add(struct tally *tally, uint64_t caller, uint64_t size, uint64_t allocated, uint64_t in_use)
{
	if (tally->count == tally->capacity) {
		tally->capacity = tally->capacity ? 2 * tally->capacity : 1024;
		tally->rows = realloc(tally->rows, tally->capacity * sizeof(*tally->rows));
		if (!tally->rows)
			abort();
	}
	tally->rows[tally->count++] = (struct tally_row){caller, size, allocated, in_use};
}

static int row_order(const void *left, const void *right)
{
	const struct tally_row *a = left, *b = right;

	if (a->caller != b->caller)
		return a->caller < b->caller ? -1 : 1;
	return a->size < b->size ? -1 : a->size > b->size;
}

void tally_merge(struct tally *tally)
{
	size_t kept = 0;

	if (tally->count)
		qsort(tally->rows, tally->count, sizeof(*tally->rows), row_order);
	for (size_t i = 0; i < tally->count; i++) {
		struct tally_row row = tally->rows[i];

		if (kept && !row_order(&tally->rows[kept - 1], &row)) {
			tally->rows[kept - 1].allocated += row.allocated;
			tally->rows[kept - 1].in_use += row.in_use;
		} else {
			tally->rows[kept++] = row;
		}
	}
	tally->count = kept;
}

void tally_sum(const struct tally *tally, uint64_t ret_sum[4])
{
	memset(ret_sum, 0, 4 * sizeof(*ret_sum));
	for (size_t i = 0; i < tally->count; i++) {
		const struct tally_row *row = &tally->rows[i];

		ret_sum[0] += row->allocated;
		ret_sum[1] += row->allocated * row->size;
		ret_sum[2] += row->in_use;
		ret_sum[3] += row->in_use * row->size;
	}
}

struct tally_row tally_of_size(const struct tally *tally, uint64_t size)
{
	struct tally_row sum = {.size = size};

	for (size_t i = 0; i < tally->count; i++) {
		if (tally->rows[i].size != size)
			continue;
		sum.allocated += tally->rows[i].allocated;
		sum.in_use += tally->rows[i].in_use;
	}
	return sum;
}

size_t tally_difference(const struct tally *truth, const struct tally *profile, size_t max, FILE *out)
{
	static const struct tally_row none;
	size_t t = 0, p = 0, differences = 0;

	while (t < truth->count || p < profile->count) {
		const struct tally_row *a = t < truth->count ? &truth->rows[t] : NULL;
		const struct tally_row *b = p < profile->count ? &profile->rows[p] : NULL;
		int order = !a ? 1 : !b ? -1 : row_order(a, b);
		const struct tally_row *key = order <= 0 ? a : b;

		t += order <= 0;
		p += order >= 0;
		a = order <= 0 ? a : &none;
		b = order >= 0 ? b : &none;
		if (a->allocated == b->allocated && a->in_use == b->in_use)
			continue;
		if (differences++ < max)
			fprintf(out,
				"caller %#" PRIx64 " size %" PRIu64 ": truth %" PRIu64 " allocated, %" PRIu64
				" in use; heaptap %" PRIu64 ", %" PRIu64 "\n",
				key->caller, key->size, a->allocated, a->in_use, b->allocated, b->in_use);
	}
	return differences;
}

void tally_release(struct tally *tally)
{
	free(tally->rows);
	*tally = (struct tally){0};
}
