/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gc_model.c, driven through the recorder by 10^6 random events: what must hold after every one of them, against a model
 * that keeps every object and copies the live set at every cycle.
 */
#include "recorder_model.h"

#include <math.h>
#include <string.h>

#include "births.h"

#define STEPS 1000000

static const struct heap_site *find_site(const struct heap *heap, u32 site)
{
	struct heap_site_key key = {.stack = site, .size = site_size(site)};
	struct heap_site *found;

	HASH_FIND(hh, heap->sites, &key, sizeof(key), found);
	return found;
}

static void assert_site(const struct heap *heap, const struct model *model, u32 site)
{
	const struct counts *shown = model->booked ? &model->at[model->shown % 4] : &model->now;
	const struct heap_site *found = find_site(heap, site);
	struct booking_slot published;

	if (!found) {
		assert_int_equal(model->now.alloc[site], 0);
		return;
	}
	published = booking_published(&found->booking, &heap->gc);
	assert_true(published.inuse_count >= 0);
	assert_true((u64)published.inuse_count <= published.alloc_count);
	assert_int_equal(published.alloc_count, shown->alloc[site]);
	assert_int_equal(published.inuse_count, shown->inuse[site]);
	assert_int_equal(found->alloc_count, model->now.alloc[site]);
	assert_int_equal(found->inuse_count, model->now.inuse[site]);
}

static void assert_as_modelled(void)
{
	for (u32 i = 0; i < PIDS; i++) {
		const struct model *model = &world.images[i];
		const struct heap *heap = &recorder_find(world.recorder, model->number)->heap;

		assert_int_equal(heap->gc.cycle, model->cycle);
		assert_int_equal(heap->gc.booked, model->booked);
		assert_true(heap->gc.published == 0 || heap->gc.published - 1 == model->shown);
		assert_int_equal(heap->alloc_count - heap->freed_count, heap->inuse_count);
		for (u32 site = 0; site < SITES; site++)
			assert_site(heap, model, site);
	}
}

/* Objects know their birth, and generations add up to what lives. */
static void assert_generations(void)
{
	for (u32 i = 0; i < PIDS; i++) {
		const struct model *model = &world.images[i];
		const struct heap *heap = &recorder_find(world.recorder, model->number)->heap;
		double young = 0, old = 0;

		for (u32 at = 0; at < OBJECTS; at++) {
			struct heap_object *object;

			if (model->objects[at].fate != IN_USE)
				continue;
			HASH_FIND(hh, heap->objects, &model->objects[at].id, sizeof(u64), object);
			assert_non_null(object);
			assert_int_equal(object->birth.cycle, model->objects[at].birth);
			*(model->cycle - object->birth.cycle >= 2 ? &old : &young) += object->site->weight_bytes;
		}
		for (u32 k = 0; k < GC_KEPT; k++)
			young -= heap->gc.young_bytes[k];
		assert_true(fabs(young) < 1e-3);
		assert_true(fabs(old - heap->gc.tenured_bytes) < 1e-3);
	}
}

/* What lives is counted by its age while the records are closed, and no trace of it is left afterwards. */
static void assert_ages(void)
{
	for (u32 i = 0; i < PIDS; i++) {
		const struct model *model = &world.images[i];
		struct heap *heap = &recorder_find(world.recorder, model->number)->heap;
		u32 ended[SITES][LIFETIME_CLASSES] = {0};

		for (u32 at = 0; at < OBJECTS; at++)
			if (model->objects[at].fate == IN_USE)
				ended[model->objects[at].site]
				     [lifetime_class(model->cycle - model->objects[at].birth)]++;
		heap_lifetimes_close(heap);
		for (u32 site = 0; site < SITES; site++) {
			const struct heap_site *found = find_site(heap, site);

			if (!found)
				continue;
			assert_memory_equal(found->lifetime.ended, ended[site], sizeof(ended[site]));
			assert_memory_equal(found->lifetime.died, model->died[site], sizeof(model->died[site]));
			assert_int_equal(births(&found->lifetime), model->now.alloc[site]);
		}
		heap_lifetimes_reopen(heap);
		memset(ended, 0, sizeof(ended));
		for (const struct heap_site *site = heap->sites; site; site = site->hh.next)
			assert_memory_equal(site->lifetime.ended, ended[0], sizeof(ended[0]));
	}
}

static void simulate(u64 sample_bytes, u64 first_seed, bool requests)
{
	struct recorder_options options = {.sample_bytes = sample_bytes, .gc = {.gogc_percent = 100}};

	memset(&world, 0, sizeof(world));
	seed = first_seed;
	world.sample_bytes = sample_bytes;
	world.requests = requests;
	world.now_ns = SECOND;
	world.recorder = recorder_new(&options);
	for (u32 pid = 0; pid < PIDS; pid++) {
		model_begin(&world.images[pid]);
		recorder_begin(world.recorder, world.images[pid].number, pid, 0, world.now_ns, NULL);
	}
	for (u32 step = 0; step < STEPS; step++) {
		random_step();
		assert_as_modelled();
		if (step % 64 == 0) {
			assert_generations();
			assert_ages();
		}
	}
}

static void finish(void)
{
	recorder_free(world.recorder);
	world.recorder = NULL;
}

static void test_gc_model_random_events_exact_keep_every_invariant(void **state)
{
	(void)state;
	simulate(1, 11, true);
	assert_true(world.numbers > 200);
	assert_true(world.cycles > 1000);
	finish();
}

static void test_gc_model_random_events_sampled_keep_every_invariant(void **state)
{
	(void)state;
	simulate(4096, 12, true);
	assert_true(world.numbers > 200);
	assert_true(world.cycles > 1000);
	finish();
}

static const struct heap *keep_lifetimes(const struct model *model, struct lifetime lifetimes[SITES])
{
	const struct heap *heap = &recorder_find(world.recorder, model->number)->heap;

	for (u32 site = 0; site < SITES; site++) {
		const struct heap_site *found = find_site(heap, site);

		if (found)
			lifetimes[site] = found->lifetime;
	}
	return heap;
}

/* What a level has not kept is zero. */
static void keep_history(const struct gc_model *gc, struct moment history[GC_LEVELS][GC_KEPT])
{
	for (u32 level = 0; level < GC_LEVELS; level++)
		if (gc->history[level])
			memcpy(history[level], gc->history[level], sizeof(history[level]));
}

/* The same events with and without requests for profiles: everything but the bookings is the same to the bit. */
static void test_gc_model_requests_change_no_age_and_no_survival(void **state)
{
	static struct gc_model asked[PIDS];
	static struct model models[PIDS];
	static struct lifetime lifetimes[PIDS][SITES];
	static struct moment histories[PIDS][GC_LEVELS][GC_KEPT];
	u32 bookings = 0;

	(void)state;
	simulate(4096, 13, true);
	for (u32 i = 0; i < PIDS; i++) {
		asked[i] = keep_lifetimes(&world.images[i], lifetimes[i])->gc;
		keep_history(&asked[i], histories[i]);
	}
	memcpy(models, world.images, sizeof(models));
	finish();
	simulate(4096, 13, false);
	for (u32 i = 0; i < PIDS; i++) {
		const struct heap *heap = &recorder_find(world.recorder, world.images[i].number)->heap;
		struct moment history[GC_LEVELS][GC_KEPT] = {0};
		struct lifetime unasked[SITES] = {0};

		bookings += asked[i].booked - heap->gc.booked;
		asked[i].booked = heap->gc.booked;
		asked[i].published = heap->gc.published;
		keep_history(&heap->gc, history);
		assert_memory_equal(histories[i], history, sizeof(history));
		memcpy(asked[i].history, heap->gc.history, sizeof(asked[i].history));
		assert_memory_equal(&asked[i], &heap->gc, sizeof(*asked));
		keep_lifetimes(&world.images[i], unasked);
		assert_memory_equal(lifetimes[i], unasked, sizeof(unasked));
		assert_memory_equal(models[i].objects, world.images[i].objects, sizeof(models[i].objects));
	}
	assert_true(bookings > 0);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gc_model_random_events_exact_keep_every_invariant),
		cmocka_unit_test(test_gc_model_random_events_sampled_keep_every_invariant),
		cmocka_unit_test(test_gc_model_requests_change_no_age_and_no_survival),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
