/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an event out of the ring does to an image; called by follow, in the order in which they were told. */
#include <errno.h>

#include "system/address_map.h"
#include "heap/recorder.h"
#include "heap/variant.h"

/* A stack that was told of, and not kept? The frames of a raw one may come later. */
static bool is_refused(const struct process *process, u64 hash)
{
	return hash && !(hash & RAW_STACK_ID) && process->heap.share.refused;
}

static int apply_alloc(struct process *process, const struct event_alloc *event)
{
	bool followed = !(event->header.flags & (EVENT_REFUSED | EVENT_UNFOLLOWED));
	u64 hash = event->stack;
	struct stack *stack;
	int err = variant_find(&process->stacks, process->mappings, hash, event->header.time_ns, &stack);

	if (err)
		return err;
	process->ledger[COUNTER_STACK_STALE] += stack && stack->stale;
	if (stack) {
		hash = stack->hash;
	} else if (is_refused(process, hash)) {
		process->heap.no_room_count++;
		hash = 0;
	}
	return heap_alloc(&process->heap, event->object, event->addr, event->size, hash, followed,
			  event->header.time_ns);
}

static int apply_stack(struct process *process, const struct event_stack *event, size_t size)
{
	struct stack *stack = stack_table_find(&process->stacks, event->stack);
	int err;

	if (!event->depth || event->depth > STACK_DEPTH_MAX ||
	    size < offsetof(struct event_stack, ip) + event->depth * sizeof(u64))
		return -EBADMSG;
	if (!stack && !(event->stack & RAW_STACK_ID) && !quota_take(&process->heap.share))
		return 0;
	err = stack_table_add(&process->stacks, event->stack, event->header.time_ns, event->ip, event->depth,
			      event->header.flags & EVENT_TRUNCATED);
	if (err || event->stack & RAW_STACK_ID)
		return err;
	stack = stack_table_find(&process->stacks, event->stack);
	if (!stack->generation)
		stack->generation = stack_generation(stack, process->number, address_map_generation(process->mappings));
	return 0;
}

static void image_end(struct recorder *recorder, struct process *process, const struct event_process *event)
{
	recorder_end(recorder, process, event->header.time_ns);
	process->cpu_end_ns = event->cpu_ns;
	if (event->max_rss_bytes)
		process->rss_peak_bytes = event->max_rss_bytes;
}

/* A new image, behind an old one or not. */
static int apply_begin(struct recorder *recorder, struct process *before, const struct event_process *event)
{
	struct process *process;
	int err;

	if (before)
		image_end(recorder, before, event);
	if (!event->next)
		return 0;
	err = recorder_begin(recorder, event->next, event->pid, event->scope, event->header.time_ns, &process);
	if (err)
		return err;
	process_set_comm(process, event->comm);
	process->cpu_start_ns = event->cpu_ns;
	return 0;
}

static void apply_exit(struct recorder *recorder, struct process *process, const struct event_process *event)
{
	if (process->ended)
		return;
	image_end(recorder, process, event);
	process_set_comm(process, event->comm);
}

/* The least size of each kind. */
static size_t event_size(u16 kind)
{
	switch (kind) {
	case EVENT_ALLOC:
		return sizeof(struct event_alloc);
	case EVENT_FREE:
	case EVENT_OVERWRITE:
		return sizeof(struct event_object);
	case EVENT_MOVED:
	case EVENT_REVIVED:
		return sizeof(struct event_moved);
	case EVENT_STACK:
		return offsetof(struct event_stack, ip);
	case EVENT_EXEC:
	case EVENT_EXIT:
	case EVENT_LEADER_EXIT:
	case EVENT_FORK:
	case EVENT_ENTER:
	case EVENT_LEAVE:
		return sizeof(struct event_process);
	default:
		return 0;
	}
}

/* A death may be told twice, a revival may come too late: neither is an error of the stream. */
static int tolerate_unknown(int err)
{
	return err == -ENOENT ? 0 : err;
}

static int apply_moved(struct process *process, const struct event_moved *event)
{
	if (event->header.kind == EVENT_MOVED)
		return tolerate_unknown(heap_move(&process->heap, event->object, event->tid));
	return tolerate_unknown(heap_revive(&process->heap, event->object, event->tid, event->header.time_ns));
}

int recorder_event(struct recorder *recorder, const struct event *event, size_t size)
{
	size_t least = size < sizeof(*event) ? 0 : event_size(event->kind);
	struct process *process;

	if (!least || size < least)
		return -EBADMSG;
	process = recorder_find(recorder, event->process);
	if (process && !process->ended)
		collector_tick(&process->heap.collector, event->time_ns);
	if (event->kind == EVENT_EXEC || event->kind == EVENT_FORK || event->kind == EVENT_ENTER)
		return apply_begin(recorder, process, (const struct event_process *)event);
	if (!process)
		return -ENOENT;
	switch (event->kind) {
	case EVENT_STACK:
		return apply_stack(process, (const struct event_stack *)event, size);
	case EVENT_ALLOC:
		return apply_alloc(process, (const struct event_alloc *)event);
	case EVENT_FREE:
	case EVENT_OVERWRITE:
		return tolerate_unknown(heap_free(&process->heap, ((const struct event_object *)event)->object));
	case EVENT_MOVED:
	case EVENT_REVIVED:
		return apply_moved(process, (const struct event_moved *)event);
	case EVENT_EXIT:
	case EVENT_LEAVE:
		apply_exit(recorder, process, (const struct event_process *)event);
		return 0;
	default:
		return 0;
	}
}
