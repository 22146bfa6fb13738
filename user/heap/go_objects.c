/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "heap/go_objects.h"

#include <errno.h>

#include "heap/go_profile.h"
#include "heap/snapshot_facts.h"

void go_objects_begin(struct go_reading *reading, const struct recorder_options *options, const struct image *image)
{
	if (reading->followed)
		return;
	heap_init(&reading->objects, reading->rate);
	reading->objects.share.quota = image->heap.share.quota;
	gc_model_init(&reading->objects.gc, &options->gc, image->start_ns);
	reading->followed = true;
}

void go_objects_release(struct go_reading *reading)
{
	if (reading->followed)
		heap_release(&reading->objects);
	reading->followed = false;
}

struct heap *go_objects_heap(const struct image *image)
{
	return image->go && image->go->followed ? &image->go->objects : NULL;
}

int go_objects_born(struct image *image, const struct event_alloc *event)
{
	struct heap *heap = go_objects_heap(image);
	bool followed = !(event->header.flags & EVENT_REFUSED);

	return heap ? heap_alloc(heap, event->object, event->addr, event->size, event->stack, followed,
				 event->header.time_ns)
		    : 0;
}

int go_objects_died(struct image *image, u64 object)
{
	struct heap *heap = go_objects_heap(image);

	return heap ? heap_free(heap, object) : -ENOENT;
}

void go_objects_tick(struct image *image, u64 now_ns)
{
	struct heap *heap = go_objects_heap(image);

	if (heap)
		gc_model_tick(&heap->gc, now_ns);
}

/* If none of a bucket's objects was seen, it is known that none was. */
static int add_lifetime(const struct heap *heap, const struct go_bucket *bucket, struct profile_sample *sample)
{
	const struct heap_site *site = heap_find_site(heap, bucket->address, bucket->size);
	struct lifetime none = {0};

	lifetime_advance(&none, heap->gc.tick);
	sample->lifetime = lifetime_pack(site ? &site->lifetime : &none);
	return sample->lifetime ? 0 : -ENOMEM;
}

static const enum counter own[] = {COUNTER_AGES_BORN, COUNTER_AGES_DIED, COUNTER_AGES_LIVING, COUNTER_AGES_REFUSED,
				   COUNTER_AGES_LOST};

static void add_ledger(const struct image *image, const struct heap *heap, u64 ledger[COUNTER_MAX])
{
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		ledger[own[i]] = image->ledger[own[i]];
	/* The kernel has counted more of a program that runs: events that are on their way. */
	if (!image->end_ns) {
		ledger[COUNTER_AGES_REFUSED] = heap->unfollowed_count;
		ledger[COUNTER_AGES_BORN] = heap->alloc_count + ledger[COUNTER_AGES_LOST];
	}
	ledger[COUNTER_AGES_DIED] = heap->freed_count;
	ledger[COUNTER_AGES_LIVING] = heap->inuse_count;
	ledger[COUNTER_STACK_NO_ROOM] = heap->no_room_count;
}

static int add_lifetimes(struct heap *heap, const struct go_buckets *buckets, struct profile *profile)
{
	int err = 0;

	heap_lifetimes_close(heap);
	for (u32 i = 0; i < buckets->count && !err; i++)
		err = add_lifetime(heap, &buckets->buckets[i], &profile->samples[i]);
	heap_lifetimes_reopen(heap);
	return err;
}

int go_objects_add(const struct image *image, u64 now_ns, bool lifetimes, struct profile *profile)
{
	struct heap *heap = go_objects_heap(image);
	int err;

	if (!heap)
		return 0;
	err = lifetimes ? add_lifetimes(heap, &image->go->buckets, profile) : 0;
	add_ledger(image, heap, profile->ledger);
	snapshot_facts_copy_model(&heap->gc, now_ns, &profile->model);
	return err;
}

void go_objects_leave_out(u64 ledger[COUNTER_MAX])
{
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		ledger[own[i]] = 0;
}
