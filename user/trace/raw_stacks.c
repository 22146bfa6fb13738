/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/raw_stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "heap/apply_event.h"
#include "unwind/walk.h"

#define WAITS_MAX 16 /* for tables, at the end: where there is no room for all that a stack needs, they come and go */

#define RELIEF_MS 100

/* A raw stack that waits for a table, or for word of a mapping. */
struct raw {
	struct raw *next;
	bool looked_at, counted; /* by its process, which is there for as long, then */
	struct event_raw event;
};

struct raw_stacks {
	struct unwind_tables *tables;
	struct recorder *recorder;
	struct raw *first, **last; /* oldest first */
	size_t bytes, bytes_max;   /* what they take, and may */
};

struct raw_stacks *raw_stacks_new(struct unwind_tables *tables, struct recorder *recorder, size_t bytes_max)
{
	struct raw_stacks *unwinder = calloc(1, sizeof(*unwinder));

	if (!unwinder)
		return NULL;
	unwinder->tables = tables;
	unwinder->recorder = recorder;
	unwinder->bytes_max = bytes_max;
	unwinder->last = &unwinder->first;
	return unwinder;
}

void raw_stacks_free(struct raw_stacks *unwinder)
{
	struct raw *raw;

	if (!unwinder)
		return;
	while ((raw = unwinder->first)) {
		unwinder->first = raw->next;
		free(raw);
	}
	free(unwinder);
}

/* As the programs count the stacks that they walk. */
static void count_end(struct image *image, enum unwind_end end, bool frame_pointer)
{
	enum counter counter = stack_end_counter(end);

	image->ledger[COUNTER_STACK_FRAME_POINTER] += frame_pointer;
	if (counter < COUNTER_MAX)
		image->ledger[counter]++;
}

/*
 * False: a table is missing still, or a mapping that may have been made after the side-band was last read: that is
 * known at the next look, and a mapping missing then will stay so.
 */
static bool unwind_one(struct raw_stacks *unwinder, struct raw *raw, bool all)
{
	const struct event_raw *event = &raw->event;
	struct image *image = recorder_find(unwinder->recorder, event->header.process);
	struct event_stack stack = {.header = event->header, .stack = event->stack};
	enum unwind_end end;
	bool frame_pointer;

	if (!image)
		return true;
	end = walk_raw(unwinder->tables, image->mappings, (pid_t)image->pid, event, stack.ip, &stack.depth,
		       &frame_pointer);
	if (!all && (end == UNWIND_NO_TABLE || (end == UNWIND_NO_MAPPING && !raw->looked_at))) {
		raw->looked_at = end == UNWIND_NO_MAPPING;
		return false;
	}
	stack.header.kind = EVENT_STACK;
	stack.end = end;
	count_end(image, end, frame_pointer);
	apply_event(unwinder->recorder, &stack.header, sizeof(stack));
	return true;
}

static size_t raw_bytes(const struct raw *raw)
{
	return offsetof(struct raw, event.bytes) + raw->event.size;
}

/* Take the stack that *link is about off the chain. */
static void drop(struct raw_stacks *unwinder, struct raw **link)
{
	struct raw *raw = *link;
	struct image *image = raw->counted ? recorder_find(unwinder->recorder, raw->event.header.process) : NULL;

	if (image)
		image->raw_waiting--;
	*link = raw->next;
	if (!raw->next)
		unwinder->last = link;
	unwinder->bytes -= raw_bytes(raw);
	free(raw);
}

static void settle(struct raw_stacks *unwinder, bool all)
{
	struct raw **link = &unwinder->first;

	while (*link) {
		if (unwind_one(unwinder, *link, all))
			drop(unwinder, link);
		else
			link = &(*link)->next;
	}
}

/*
 * There is room in the ring meanwhile, so tables may have some time more. Then the oldest go, that have waited longest
 * for what may never come: a quarter at a time, since whether the others have to wait still costs a walk of each.
 */
static void relieve(struct raw_stacks *unwinder)
{
	settle(unwinder, false);
	if (unwinder->bytes > unwinder->bytes_max / 4 * 3) {
		unwind_tables_wait(unwinder->tables, RELIEF_MS);
		settle(unwinder, false);
	}
	while (unwinder->bytes > unwinder->bytes_max / 4 * 3) {
		unwind_one(unwinder, unwinder->first, true);
		drop(unwinder, &unwinder->first);
	}
}

int raw_stacks_add(struct raw_stacks *unwinder, const struct event_raw *event, size_t size)
{
	struct image *image;
	struct raw *raw;

	if (size < offsetof(struct event_raw, bytes) || event->size > size - offsetof(struct event_raw, bytes) ||
	    event->size > sizeof(event->bytes))
		return -EBADMSG;
	raw = calloc(1, offsetof(struct raw, event.bytes) + event->size);
	if (!raw)
		return -ENOMEM;
	memcpy(&raw->event, event, offsetof(struct event_raw, bytes) + event->size);
	image = recorder_find(unwinder->recorder, event->header.process);
	raw->counted = image;
	if (image)
		image->raw_waiting++;
	*unwinder->last = raw;
	unwinder->last = &raw->next;
	unwinder->bytes += raw_bytes(raw);
	if (unwinder->bytes > unwinder->bytes_max)
		relieve(unwinder);
	return 0;
}

void raw_stacks_settle(struct raw_stacks *unwinder, bool all)
{
	settle(unwinder, false);
	/* A walk asks for a table where it gets to code of the file; there may be more files further on. */
	for (u32 i = 0; i < WAITS_MAX && all && unwinder->first; i++) {
		unwind_tables_wait(unwinder->tables, -1);
		settle(unwinder, false);
	}
	if (all)
		settle(unwinder, true);
}
