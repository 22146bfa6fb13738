/* SPDX-License-Identifier: GPL-2.0-or-later */
/* heap.c: the table of sampled objects, against a plain array that knows what is allocated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "heap/heap.h"
#include "profile/estimate.h"
#include "unit/profile/chance.h"

static struct heap heap;

static int setup(void **state)
{
	(void)state;
	heap_init(&heap, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	heap_release(&heap);
	return 0;
}

/* The invariants after every call. */
static void assert_consistent(void)
{
	u64 allocated = 0, in_use = 0;
	double bytes = 0;

	for (const struct heap_site *site = heap.sites; site; site = site->hh.next) {
		assert_true(site->inuse_count <= site->alloc_count);
		allocated += site->alloc_count;
		in_use += site->inuse_count;
		bytes += (double)site->inuse_count * site->weight_bytes;
	}
	assert_int_equal(allocated, heap.alloc_count);
	assert_int_equal(in_use, heap.inuse_count);
	assert_int_equal(heap.alloc_count - heap.unfollowed_count - heap.freed_count, heap.inuse_count);
	assert_int_equal(HASH_COUNT(heap.objects), heap.inuse_count);
	assert_true(fabs(bytes - heap.inuse_bytes) <= 1e-9 * heap.peak_bytes);
	assert_true(heap.inuse_bytes <= heap.peak_bytes);
}

static const struct heap_site *site_of(u64 stack, u64 size)
{
	struct heap_site_key key = {.stack = stack, .size = size};
	struct heap_site *site;

	HASH_FIND(hh, heap.sites, &key, sizeof(key), site);
	assert_non_null(site);
	return site;
}

static void allocate(u64 id, u64 size, u64 stack)
{
	assert_int_equal(heap_alloc(&heap, id, 0x1000 + id, size, stack, true, id), 0);
	assert_consistent();
}

static void test_heap_alloc_same_stack_and_size_share_a_site(void **state)
{
	(void)state;
	allocate(1, 100, 7);
	allocate(2, 100, 7);
	allocate(3, 100, 8);
	allocate(4, 200, 7);
	assert_int_equal(HASH_COUNT(heap.sites), 3);
	assert_int_equal(site_of(7, 100)->alloc_count, 2);
	assert_int_equal(site_of(8, 100)->inuse_count, 1);
	assert_true(heap.inuse_bytes == 500);
}

static void test_heap_alloc_not_followed_counts_as_allocated_alone(void **state)
{
	(void)state;
	assert_int_equal(heap_alloc(&heap, 1, 0x1000, 100, 7, false, 5), 0);
	assert_consistent();
	assert_int_equal(heap.alloc_count, 1);
	assert_int_equal(heap.unfollowed_count, 1);
	assert_int_equal(heap.inuse_count, 0);
	assert_int_equal(heap_free(&heap, 1), -ENOENT);
	assert_consistent();
}

static void test_heap_alloc_weight_is_the_unsampled_size(void **state)
{
	(void)state;
	heap.sample_bytes = 4096;
	allocate(1, 1024, 7);
	assert_true(fabs(heap.inuse_bytes - 1024 / estimate_probability(1024, 4096)) < 1e-9);
	allocate(2, 0, 7);
	assert_true(fabs(heap.inuse_bytes - 1024 / estimate_probability(1024, 4096)) < 1e-9);
	assert_int_equal(heap.inuse_count, 2);
}

static void test_heap_free_takes_out_of_use_once(void **state)
{
	(void)state;
	allocate(1, 100, 7);
	assert_int_equal(heap_free(&heap, 1), 0);
	assert_consistent();
	assert_int_equal(heap_free(&heap, 1), -ENOENT);
	assert_int_equal(heap_free(&heap, 99), -ENOENT);
	assert_int_equal(heap_free(&heap, 0), -ENOENT);
	assert_consistent();
	assert_int_equal(heap.freed_count, 1);
	assert_int_equal(site_of(7, 100)->alloc_count, 1);
}

static void test_heap_peak_is_the_highest_and_its_first_time(void **state)
{
	(void)state;
	allocate(10, 100, 7);
	allocate(20, 200, 7);
	heap_free(&heap, 10);
	allocate(30, 100, 7);
	assert_true(heap.peak_bytes == 300);
	assert_int_equal(heap.peak_ns, 20);
	allocate(40, 1, 7);
	assert_true(heap.peak_bytes == 301);
	assert_int_equal(heap.peak_ns, 40);
}

static void test_heap_peak_reached_by_a_revival_counts(void **state)
{
	(void)state;
	allocate(1, 100, 7);
	heap_move(&heap, 1, 55);
	allocate(2, 150, 7);
	assert_true(heap.peak_bytes == 150);
	assert_int_equal(heap_revive(&heap, 1, 55, 9), 0);
	assert_consistent();
	assert_true(heap.peak_bytes == 250);
	assert_int_equal(heap.peak_ns, 9);
}

static void test_heap_move_is_a_death_until_revived(void **state)
{
	(void)state;
	allocate(1, 100, 7);
	assert_int_equal(heap_move(&heap, 1, 55), 0);
	assert_consistent();
	assert_int_equal(heap.inuse_count, 0);
	assert_int_equal(heap.freed_count, 1);
	assert_int_equal(heap_free(&heap, 1), -ENOENT);
	assert_int_equal(heap_move(&heap, 1, 55), -ENOENT);
	assert_int_equal(heap_revive(&heap, 1, 55, 2), 0);
	assert_consistent();
	assert_int_equal(heap.inuse_count, 1);
	assert_int_equal(heap.freed_count, 0);
	assert_int_equal(heap_free(&heap, 1), 0);
	assert_consistent();
}

static void test_heap_revive_twice_or_by_another_is_refused(void **state)
{
	(void)state;
	allocate(1, 100, 7);
	allocate(2, 100, 7);
	assert_int_equal(heap_revive(&heap, 1, 55, 1), -ENOENT);
	heap_move(&heap, 1, 55);
	heap_move(&heap, 2, 56);
	assert_int_equal(heap_revive(&heap, 1, 56, 1), -ENOENT);
	assert_int_equal(heap_revive(&heap, 2, 55, 1), -ENOENT);
	assert_int_equal(heap_revive(&heap, 2, 56, 1), 0);
	assert_int_equal(heap_revive(&heap, 2, 56, 1), -ENOENT);
	assert_consistent();
	assert_int_equal(heap.inuse_count, 1);
}

static void test_heap_move_next_of_the_thread_seals_the_one_before(void **state)
{
	(void)state;
	allocate(1, 100, 7);
	allocate(2, 100, 7);
	heap_move(&heap, 1, 55);
	heap_move(&heap, 2, 55);
	assert_consistent();
	assert_int_equal(HASH_COUNT(heap.moved), 1);
	assert_int_equal(heap_revive(&heap, 1, 55, 1), -ENOENT);
	assert_int_equal(heap_revive(&heap, 2, 55, 1), 0);
	assert_int_equal(heap.freed_count, 1);
}

/* --- long random sequences --- */

#define OBJECTS 200
#define THREADS 5
#define STEPS	50000

enum fate {
	GONE,
	IN_USE,
	MOVED
};

static u64 seed;

static u32 chance(u32 below)
{
	return chance_below(&seed, below);
}

static struct {
	u64 id, size, stack;
	enum fate fate;
	u32 tid;
} model[OBJECTS];

/* The object that a revival by the thread must find; -1: none. */
static int moved_by(u32 tid)
{
	for (int i = 0; i < OBJECTS; i++)
		if (model[i].fate == MOVED && model[i].tid == tid)
			return i;
	return -1;
}

static void random_step(u64 now)
{
	u32 i = chance(OBJECTS), tid = 1 + chance(THREADS);
	int before = moved_by(tid);

	switch (chance(5)) {
	case 0:
	case 1:
		if (model[i].fate != GONE)
			return;
		model[i].id = now;
		model[i].size = chance(4) * 1000;
		model[i].stack = chance(5);
		model[i].fate = IN_USE;
		assert_int_equal(heap_alloc(&heap, now, i, model[i].size, model[i].stack, true, now), 0);
		return;
	case 2:
		assert_int_equal(heap_free(&heap, model[i].id), model[i].fate == IN_USE ? 0 : -ENOENT);
		if (model[i].fate == IN_USE)
			model[i].fate = GONE;
		return;
	case 3:
		assert_int_equal(heap_move(&heap, model[i].id, tid), model[i].fate == IN_USE ? 0 : -ENOENT);
		if (model[i].fate != IN_USE)
			return;
		if (before >= 0)
			model[before].fate = GONE;
		model[i].fate = MOVED;
		model[i].tid = tid;
		return;
	default:
		assert_int_equal(heap_revive(&heap, model[i].id, tid, now), before == (int)i ? 0 : -ENOENT);
		if (before == (int)i)
			model[i].fate = IN_USE;
	}
}

static void assert_as_modelled(void)
{
	u64 in_use = 0, sum = 0, bytes = 0;

	for (int i = 0; i < OBJECTS; i++) {
		if (model[i].fate == IN_USE) {
			in_use++;
			sum += model[i].size;
		}
	}
	for (const struct heap_site *site = heap.sites; site; site = site->hh.next)
		bytes += site->inuse_count * site->key.size;
	assert_int_equal(heap.inuse_count, in_use);
	assert_int_equal(bytes, sum);
}

static void simulate(u64 sample_bytes, u64 first_seed)
{
	seed = first_seed;
	memset(model, 0, sizeof(model));
	heap.sample_bytes = sample_bytes;
	for (u64 now = 1; now <= STEPS; now++) {
		random_step(now);
		assert_consistent();
		assert_as_modelled();
	}
}

/* The same counts, without the memory that lifetimes would take. */
static void test_heap_that_counts_alone_keeps_every_invariant(void **state)
{
	(void)state;
	heap.counts_alone = true;
	simulate(1, 13);
}

static void test_heap_random_events_exact_keep_every_invariant(void **state)
{
	(void)state;
	simulate(1, 11);
}

static void test_heap_random_events_sampled_keep_every_invariant(void **state)
{
	(void)state;
	simulate(4096, 12);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_heap_alloc_same_stack_and_size_share_a_site),
		TEST(test_heap_alloc_not_followed_counts_as_allocated_alone),
		TEST(test_heap_alloc_weight_is_the_unsampled_size),
		TEST(test_heap_free_takes_out_of_use_once),
		TEST(test_heap_peak_is_the_highest_and_its_first_time),
		TEST(test_heap_peak_reached_by_a_revival_counts),
		TEST(test_heap_move_is_a_death_until_revived),
		TEST(test_heap_revive_twice_or_by_another_is_refused),
		TEST(test_heap_move_next_of_the_thread_seals_the_one_before),
		TEST(test_heap_that_counts_alone_keeps_every_invariant),
		TEST(test_heap_random_events_exact_keep_every_invariant),
		TEST(test_heap_random_events_sampled_keep_every_invariant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
