/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of a shared array: a chain of runs that covers it without a gap, in the order of place. Giving back needs no
 * memory and so cannot fail; adjacent free runs are joined when rows are taken.
 */
#include "base/extent.h"

#include <errno.h>
#include <stdlib.h>

#define TAKEN UINT64_MAX

/* One run. The first one of the chain is never freed by joining, so it stands for the whole. */
struct extent {
	u32 first, count;
	u64 free_ns; /* when it may be handed out, TAKEN: it is */
	struct extent *next;
};

static struct extent *run_new(u32 first, u32 count, struct extent *next)
{
	struct extent *run = calloc(1, sizeof(*run));

	if (run)
		*run = (struct extent){.first = first, .count = count, .next = next};
	return run;
}

struct extent *extent_new(u32 count)
{
	return run_new(0, count, NULL);
}

void extent_free(struct extent *extent)
{
	while (extent) {
		struct extent *run = extent;

		extent = run->next;
		free(run);
	}
}

static bool is_free(const struct extent *run, u64 now_ns)
{
	return run->free_ns <= now_ns;
}

/* Make one run of this and what follows, as far as it is free. */
static void join(struct extent *run, u64 now_ns)
{
	struct extent *next;

	while ((next = run->next) && is_free(next, now_ns)) {
		run->count += next->count;
		run->next = next->next;
		free(next);
	}
}

int extent_take(struct extent *extent, u32 count, u64 now_ns, u32 *ret_first)
{
	struct extent *run;

	for (run = extent; run; run = run->next) {
		if (!is_free(run, now_ns))
			continue;
		join(run, now_ns);
		if (run->count >= count)
			break;
	}
	if (!run)
		return -ENOSPC;
	if (run->count > count) {
		struct extent *rest = run_new(run->first + count, run->count - count, run->next);

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
	for (struct extent *run = extent; run; run = run->next)
		if (run->first == first && run->free_ns == TAKEN)
			run->free_ns = now_ns + EXTENT_REST_NS;
}
