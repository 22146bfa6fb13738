/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of a shared array: a chain of runs that covers it without a gap, in the order of place. Giving back needs no
 * memory and so cannot fail; adjacent free runs are joined when rows are taken.
 */
#include "base/extent.h"

#include <errno.h>
#include <stdlib.h>

#define TAKEN UINT64_MAX

struct run {
	u32 first, count;
	u64 free_ns; /* when it may be handed out, TAKEN: it is */
	struct run *next;
};

struct extent {
	struct run *runs;
};

static struct run *run_new(u32 first, u32 count, struct run *next)
{
	struct run *run = calloc(1, sizeof(*run));

	if (!run)
		return NULL;
	run->first = first;
	run->count = count;
	run->next = next;
	return run;
}

struct extent *extent_new(u32 count)
{
	struct extent *extent = calloc(1, sizeof(*extent));

	if (!extent)
		return NULL;
	extent->runs = run_new(0, count, NULL);
	if (!extent->runs) {
		free(extent);
		return NULL;
	}
	return extent;
}

void extent_free(struct extent *extent)
{
	if (!extent)
		return;
	while (extent->runs) {
		struct run *run = extent->runs;

		extent->runs = run->next;
		free(run);
	}
	free(extent);
}

static bool is_free(const struct run *run, u64 now_ns)
{
	return run->free_ns <= now_ns;
}

/* Make one run of this and what follows, as far as it is free. */
static void join(struct run *run, u64 now_ns)
{
	struct run *next;

	while ((next = run->next) && is_free(next, now_ns)) {
		run->count += next->count;
		run->next = next->next;
		free(next);
	}
}

int extent_take(struct extent *extent, u32 count, u64 now_ns, u32 *ret_first)
{
	struct run *run;

	for (run = extent->runs; run; run = run->next) {
		if (!is_free(run, now_ns))
			continue;
		join(run, now_ns);
		if (run->count >= count)
			break;
	}
	if (!run)
		return -ENOSPC;
	if (run->count > count) {
		struct run *rest = run_new(run->first + count, run->count - count, run->next);

		if (!rest)
			return -ENOMEM;
		run->next = rest;
		run->count = count;
	}
	run->free_ns = TAKEN;
	*ret_first = run->first;
	return 0;
}

void extent_give(struct extent *extent, u32 first, u64 now_ns)
{
	for (struct run *run = extent->runs; run; run = run->next)
		if (run->first == first && run->free_ns == TAKEN)
			run->free_ns = now_ns + EXTENT_REST_NS;
}
