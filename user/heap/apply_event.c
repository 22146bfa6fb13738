/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One function for each kind of event, and the sizes that each must have at least. */
#include "heap/apply_event.h"

#include <errno.h>

#include "heap/go_objects.h"
#include "heap/restraint.h"
#include "heap/stack.h"
#include "system/address_map.h"

/* Was the stack reported, and not kept? The frames of a raw one may come later. */
static bool is_refused(const struct image *image, u64 hash)
{
	return hash && !(hash & RAW_STACK_ID) && image->heap.share.refused;
}

/* What the stack of an event of that time is to be booked to; 0: to none, as it was not kept, which *no_room counts. 0 or -ENOMEM. */
static int find_stack(struct image *image, u64 hash, u64 time_ns, u64 *no_room, u64 *ret_hash)
{
	struct stack *stack;
	int err = stack_variant_find(&image->stacks, image->mappings, hash, time_ns, &stack);

	if (err)
		return err;
	image->ledger[COUNTER_STACK_STALE] += stack && stack->stale;
	*ret_hash = stack ? stack->hash : hash;
	if (!stack && is_refused(image, hash)) {
		++*no_room;
		*ret_hash = 0;
	}
	return 0;
}

static int apply_alloc(struct image *image, const struct event_alloc *event)
{
	bool refused = event->header.flags & EVENT_REFUSED, frozen = image->heap.frozen_ns;
	bool followed = !refused && !(event->header.flags & EVENT_UNFOLLOWED) && !frozen;
	u64 hash;
	int err;

	if (event->header.flags & EVENT_GO)
		return go_objects_born(image, event);
	err = find_stack(image, event->stack, event->header.time_ns, &image->heap.no_room_count, &hash);
	if (err)
		return err;
	image->heap.scale = image->restraint ? restraint_scale_at(image->restraint, event->header.time_ns) : 1;
	image->ledger[COUNTER_BUDGET_UNFOLLOWED] += frozen && !refused;
	image->ledger[COUNTER_BUDGET_SCALED] += image->heap.scale > 1;
	return heap_alloc(&image->heap, event->object, event->addr, event->size, hash, followed, event->header.time_ns);
}

static int apply_death(struct image *image, u64 object)
{
	int err = heap_free(&image->heap, object);

	return err ? go_objects_died(image, object) : 0;
}

static int apply_region(struct image *image, const struct event_region *event)
{
	u64 hash = 0, *no_room = &image->regions.no_room_count;
	int err = event->stack ? find_stack(image, event->stack, event->header.time_ns, no_room, &hash) : 0;

	return err ? err : regions_apply(&image->regions, event, hash, &image->heap.share);
}

static int apply_stack(struct image *image, const struct event_stack *event, size_t size)
{
	struct stack *stack = stack_table_find(&image->stacks, event->stack);
	int err;

	if (!event->depth || event->depth > STACK_DEPTH_MAX ||
	    size < offsetof(struct event_stack, ip) + event->depth * sizeof(u64))
		return -EBADMSG;
	if (!stack && !(event->stack & RAW_STACK_ID) && !quota_take(&image->heap.share))
		return 0;
	err = stack_table_add(&image->stacks, event->stack, event->header.time_ns, event->ip, event->depth);
	if (err)
		return err;
	stack = stack_table_find(&image->stacks, event->stack);
	stack->end = (u8)event->end;
	if (!stack->generation && !(event->stack & RAW_STACK_ID))
		stack->generation = stack_generation(stack, image->number, address_map_generation(image->mappings));
	return 0;
}

static void image_end(struct recorder *recorder, struct image *image, const struct event_process *event)
{
	recorder_end(recorder, image, event->header.time_ns);
	image->cpu_end_ns = event->cpu_ns;
	image_see_peak(image, event->max_rss_bytes);
}

/* A new image, behind an old one or not. */
static int apply_begin(struct recorder *recorder, struct image *before, const struct event_process *event)
{
	struct image *image;
	int err;

	if (before)
		image_end(recorder, before, event);
	if (!event->next)
		return 0;
	err = recorder_begin(recorder, event->next, event->pid, event->scope, event->header.time_ns, &image);
	if (err)
		return err;
	/* The event may say what its parent was called, and the side-band has told since how it calls itself. */
	if (!image->comm[0])
		image_set_comm(image, event->comm);
	image->cpu_start_ns = event->cpu_ns;
	return 0;
}

static void apply_exit(struct recorder *recorder, struct image *image, const struct event_process *event)
{
	if (image->ended)
		return;
	image_end(recorder, image, event);
	if (event->header.kind == EVENT_EXIT)
		image->exit = profile_exit_of(event->wait_status, event->header.flags & EVENT_OOM_VICTIM);
	image_set_comm(image, event->comm);
}

/* The least size of each kind; 0: there is no such kind. */
static const size_t event_sizes[] = {
	[EVENT_ALLOC] = sizeof(struct event_alloc),	    [EVENT_FREE] = sizeof(struct event_object),
	[EVENT_OVERWRITE] = sizeof(struct event_object),    [EVENT_MOVED] = sizeof(struct event_moved),
	[EVENT_REVIVED] = sizeof(struct event_moved),	    [EVENT_STACK] = offsetof(struct event_stack, ip),
	[EVENT_EXEC] = sizeof(struct event_process),	    [EVENT_EXIT] = sizeof(struct event_process),
	[EVENT_LEADER_EXIT] = sizeof(struct event_process), [EVENT_FORK] = sizeof(struct event_process),
	[EVENT_ENTER] = sizeof(struct event_process),	    [EVENT_LEAVE] = sizeof(struct event_process),
	[EVENT_REGION] = sizeof(struct event_region),
};

/* A death may be told twice, a revival may come too late: neither is an error of the stream. */
static int tolerate_unknown(int err)
{
	return err == -ENOENT ? 0 : err;
}

static bool ends_object(u16 kind)
{
	return kind == EVENT_FREE || kind == EVENT_OVERWRITE || kind == EVENT_MOVED;
}

/* The probes in Go's runtime stay when those at functions that free go. */
static int apply_go_death(struct image *image, const struct event *event)
{
	return event->kind == EVENT_MOVED
		       ? 0
		       : tolerate_unknown(go_objects_died(image, ((const struct event_object *)event)->object));
}

int apply_event(struct recorder *recorder, const struct event *event, size_t size)
{
	const struct event_moved *moved = (const struct event_moved *)event;
	size_t kinds = sizeof(event_sizes) / sizeof(*event_sizes);
	struct image *image;

	if (size < sizeof(*event) || event->kind >= kinds || !event_sizes[event->kind] ||
	    size < event_sizes[event->kind])
		return -EBADMSG;
	image = recorder_find(recorder, event->process);
	if (image && !image->ended) {
		image_tick(image, event->time_ns);
		go_objects_tick(image, event->time_ns);
	}
	if (event->kind == EVENT_EXEC || event->kind == EVENT_FORK || event->kind == EVENT_ENTER)
		return apply_begin(recorder, image, (const struct event_process *)event);
	if (!image)
		return -ENOENT;
	if (image->heap.frozen_ns && ends_object(event->kind))
		return apply_go_death(image, event);
	switch (event->kind) {
	case EVENT_STACK:
		return apply_stack(image, (const struct event_stack *)event, size);
	case EVENT_ALLOC:
		return apply_alloc(image, (const struct event_alloc *)event);
	case EVENT_FREE:
	case EVENT_OVERWRITE:
		return tolerate_unknown(apply_death(image, ((const struct event_object *)event)->object));
	case EVENT_MOVED:
		return tolerate_unknown(heap_move(&image->heap, moved->object, moved->tid));
	case EVENT_REVIVED:
		return tolerate_unknown(heap_revive(&image->heap, moved->object, moved->tid, event->time_ns));
	case EVENT_REGION:
		return apply_region(image, (const struct event_region *)event);
	case EVENT_EXIT:
	case EVENT_LEAVE:
		apply_exit(recorder, image, (const struct event_process *)event);
		return 0;
	default:
		return 0;
	}
}
