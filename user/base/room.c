/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of a shared array: a chain of runs that covers it without a gap, in the order of place. Giving back needs no
 * memory and so cannot fail; runs that are free side by side become one when somebody asks for room. Used by
 * unwindlist.
 */
#include "base/room.h"

#include <errno.h>
#include <stdlib.h>

#define TAKEN UINT64_MAX

struct run {
	u32 first, count;
	u64 free_ns; /* when it may be handed out, TAKEN: it is */
	struct run *next;
};

struct room {
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

struct room *room_new(u32 count)
{
	struct room *room = calloc(1, sizeof(*room));

	if (!room)
		return NULL;
	room->runs = run_new(0, count, NULL);
	if (!room->runs) {
		free(room);
		return NULL;
	}
	return room;
}

void room_free(struct room *room)
{
	if (!room)
		return;
	while (room->runs) {
		struct run *run = room->runs;

		room->runs = run->next;
		free(run);
	}
	free(room);
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

int room_take(struct room *room, u32 count, u64 now_ns, u32 *ret_first)
{
	struct run *run;

	for (run = room->runs; run; run = run->next) {
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

void room_give(struct room *room, u32 first, u64 now_ns)
{
	for (struct run *run = room->runs; run; run = run->next)
		if (run->first == first && run->free_ns == TAKEN)
			run->free_ns = now_ns + ROOM_REST_NS;
}
