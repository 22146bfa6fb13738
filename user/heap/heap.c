/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "heap/heap.h"
#include "profile/estimate.h"

void heap_init(struct heap *heap, u64 sample_bytes)
{
	*heap = (struct heap){.sample_bytes = sample_bytes, .scale = 1};
	gc_model_init(&heap->gc, &(struct gc_options){0}, 0);
}

void heap_release(struct heap *heap)
{
	hash_release(heap->objects, free);
	hash_release(heap->moved, free);
	hash_release(heap->sites, free);
	heap_places_release(&heap->places);
	gc_model_release(&heap->gc);
	quota_give_back(&heap->share);
}

static struct heap_site *site_find(const struct heap *heap, u64 stack, u64 size)
{
	struct heap_site_key key = {.stack = stack, .size = size};
	struct heap_site *site;

	HASH_FIND(hh, heap->sites, &key, sizeof(key), site);
	return site;
}

const struct heap_site *heap_find_site(const struct heap *heap, u64 stack, u64 size)
{
	return site_find(heap, stack, size);
}

static struct heap_site *site_new(struct heap *heap, u64 stack, u64 size)
{
	struct heap_site *site = calloc(1, heap->counts_alone ? offsetof(struct heap_site, lifetime) : sizeof(*site));

	if (!site)
		return NULL;
	site->key = (struct heap_site_key){.stack = stack, .size = size};
	site->weight_bytes = (double)size / estimate_probability(size, heap->sample_bytes);
	HASH_ADD(hh, heap->sites, key, sizeof(site->key), site);
	return hash_kept(&site->hh, site);
}

/* The site of that stack and size, made at its first object; NULL: no memory. */
static struct heap_site *site_get(struct heap *heap, u64 stack, u64 size)
{
	struct heap_site *site = site_find(heap, stack, size);

	if (!site && stack && !quota_take(&heap->share)) {
		heap->no_room_count++;
		stack = 0;
		site = site_find(heap, stack, size);
	}
	return site ? site : site_new(heap, stack, size);
}

static void book(struct heap *heap, struct heap_site *site, u64 alloc_count, s64 inuse_count)
{
	if (heap->frozen_ns)
		booking_publish(&site->booking, &heap->gc, alloc_count, inuse_count);
	else
		booking_add(&site->booking, &heap->gc, alloc_count, inuse_count);
}

void heap_freeze(struct heap *heap, u64 now_ns)
{
	if (heap->frozen_ns)
		return;
	gc_model_request(&heap->gc);
	heap->frozen_ns = now_ns;
}

static void enter_use(struct heap *heap, struct heap_site *site, u64 now_ns)
{
	site->inuse_count++;
	heap->inuse_count++;
	heap->inuse_bytes += site->weight_bytes;
	if (heap->inuse_bytes > heap->peak_bytes) {
		heap->peak_bytes = heap->inuse_bytes;
		heap->peak_ns = now_ns;
	}
}

static void leave_use(struct heap *heap, const struct heap_object *object)
{
	struct heap_site *site = object->site;

	site->inuse_count--;
	heap->inuse_count--;
	heap->inuse_bytes -= site->weight_bytes;
	gc_model_change(&heap->gc, object->birth.cycle, -site->weight_bytes);
	if (!heap->counts_alone)
		lifetime_death(&site->lifetime, object->birth, gc_model_now(&heap->gc));
	book(heap, site, 0, -1);
}

/* The allocation may complete a cycle, to which it does not belong itself. */
static void count_alloc(struct heap *heap, struct heap_site *site, struct heap_object *object, u64 now_ns)
{
	if (!heap->frozen_ns)
		gc_model_allocate(&heap->gc, site->weight_bytes * heap->scale, now_ns);
	book(heap, site, heap->scale, object ? 1 : 0);
	site->alloc_count += heap->scale;
	heap->alloc_count++;
	heap->alloc_bytes += site->weight_bytes * heap->scale;
	if (!object) {
		heap->unfollowed_count++;
		return;
	}
	object->birth = gc_model_now(&heap->gc);
	gc_model_birth(&heap->gc, site->weight_bytes);
	if (!heap->counts_alone)
		lifetime_birth(&site->lifetime, object->birth.tick);
	enter_use(heap, site, now_ns);
}

int heap_alloc(struct heap *heap, u64 id, u64 addr, u64 size, u64 stack, bool followed, u64 now_ns)
{
	struct heap_site *site = site_get(heap, stack, size);
	struct heap_object *object = NULL;

	if (!site)
		return -ENOMEM;
	if (followed) {
		object = malloc(sizeof(*object));
		if (!object)
			return -ENOMEM;
		*object = (struct heap_object){.id = id, .addr = addr, .site = site};
		HASH_ADD(hh, heap->objects, id, sizeof(object->id), object);
		if (!hash_kept(&object->hh, object))
			return -ENOMEM;
	}
	count_alloc(heap, site, object, now_ns);
	heap_places_add(&heap->places, addr);
	return 0;
}

/* Take object `id` out of use; NULL when it is not there. */
static struct heap_object *take(struct heap *heap, u64 id)
{
	struct heap_object *object;

	HASH_FIND(hh, heap->objects, &id, sizeof(id), object);
	if (!object)
		return NULL;
	HASH_DEL(heap->objects, object);
	leave_use(heap, object);
	heap_places_freed(&heap->places, object->addr);
	heap->freed_count++;
	return object;
}

int heap_free(struct heap *heap, u64 id)
{
	struct heap_object *object = take(heap, id);

	if (!object)
		return -ENOENT;
	free(object);
	return 0;
}

int heap_move(struct heap *heap, u64 id, u32 tid)
{
	struct heap_object *object = take(heap, id), *previous;

	if (!object)
		return -ENOENT;
	object->moved_by = tid;
	object->death = gc_model_now(&heap->gc);
	HASH_FIND(hh, heap->moved, &tid, sizeof(tid), previous);
	if (previous) {
		HASH_DEL(heap->moved, previous);
		free(previous);
	}
	HASH_ADD(hh, heap->moved, moved_by, sizeof(object->moved_by), object);
	return hash_kept(&object->hh, object) ? 0 : -ENOMEM;
}

int heap_revive(struct heap *heap, u64 id, u32 tid, u64 now_ns)
{
	struct heap_object *object;

	HASH_FIND(hh, heap->moved, &tid, sizeof(tid), object);
	if (!object || object->id != id)
		return -ENOENT;
	HASH_DEL(heap->moved, object);
	object->moved_by = 0;
	HASH_ADD(hh, heap->objects, id, sizeof(object->id), object);
	if (!hash_kept(&object->hh, object))
		return -ENOMEM;
	enter_use(heap, object->site, now_ns);
	gc_model_change(&heap->gc, object->birth.cycle, object->site->weight_bytes);
	if (!heap->counts_alone)
		lifetime_revive(&object->site->lifetime, object->birth, object->death);
	book(heap, object->site, 0, 1);
	heap->freed_count--;
	return 0;
}

void heap_lifetimes_close(struct heap *heap)
{
	for (struct heap_object *object = heap->objects; object; object = object->hh.next)
		lifetime_end(&object->site->lifetime, object->birth.cycle, heap->gc.cycle);
	for (struct heap_site *site = heap->sites; site; site = site->hh.next)
		lifetime_advance(&site->lifetime, heap->gc.tick);
}

void heap_lifetimes_reopen(struct heap *heap)
{
	for (struct heap_site *site = heap->sites; site; site = site->hh.next)
		lifetime_reopen(&site->lifetime);
}
