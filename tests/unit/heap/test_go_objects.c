/* SPDX-License-Identifier: GPL-2.0-or-later */
/* go_objects.c: ages of what a Go program samples, beside what it has from malloc and beside the counts that Go keeps. */
#include "heap/go_objects.h"

#include <stdlib.h>

#include "heap/go_profile.h"
#include "heap/snapshot.h"
#include "recorder_event.h"

#define BUCKET 0xc000800000

static struct image *image;
static struct profile *profile;

/* A bucket with ten objects published, six of them dead, and one that the probes know nothing of. */
static int setup_followed(void **state)
{
	struct go_buckets *buckets;

	if (setup(state))
		return -1;
	image = begin(1, PID);
	image->go = calloc(1, sizeof(*image->go));
	buckets = &image->go->buckets;
	buckets->buckets = calloc(2, sizeof(*buckets->buckets));
	buckets->count = 2;
	buckets->buckets[0] = (struct go_bucket){.address = BUCKET, .size = 4096, .allocs = 10, .frees = 6};
	buckets->buckets[1] = (struct go_bucket){.address = BUCKET + 512, .size = 64, .allocs = 3};
	image->go->rate = 1;
	image->go->read_ns = 50;
	image->go->alone = true;
	go_objects_begin(image->go, recorder_options(recorder), image);
	return 0;
}

static int teardown_followed(void **state)
{
	profile_free(profile);
	profile = NULL;
	return teardown(state);
}

static void make_with(unsigned int parts)
{
	profile_free(profile);
	profile = NULL;
	assert_int_equal(go_profile_make(recorder_options(recorder), image, 2000, 1, parts, &profile), 0);
}

static void make(void)
{
	make_with(SNAPSHOT_LIFETIMES);
}

static u32 sum(const u32 *counts, u32 count)
{
	u32 total = 0;

	for (u32 i = 0; i < count; i++)
		total += counts[i];
	return total;
}

static void assert_lifetimes(u32 sample, u32 died, u32 living)
{
	struct lifetime lifetime = lifetime_unpack(profile->samples[sample].lifetime);

	assert_int_equal(sum(lifetime.died, LIFETIME_CLASSES), died);
	assert_int_equal(sum(lifetime.ended, LIFETIME_CLASSES), living);
	assert_int_equal(sum(lifetime.born, LIFETIME_BUCKETS), died + living);
}

static void test_go_objects_have_ages_and_go_s_counts_stay(void **state)
{
	(void)state;
	for (u64 object = 1; object <= 5; object++)
		assert_int_equal(send_alloc(1, object, 4096, BUCKET, EVENT_GO), 0);
	assert_int_equal(send_object(EVENT_FREE, 1, 2), 0);
	assert_int_equal(send_object(EVENT_FREE, 1, 2), 0);
	assert_int_equal(send_object(EVENT_OVERWRITE, 1, 4), 0);
	make();
	assert_true(profile->model.known);
	assert_int_equal(profile->samples[0].alloc_count, 10);
	assert_int_equal(profile->samples[0].inuse_count, 4);
	assert_lifetimes(0, 2, 3);
	assert_lifetimes(1, 0, 0);
	/* Asking changes nothing. */
	make();
	assert_lifetimes(0, 2, 3);
}

static void test_go_objects_balance_by_themselves(void **state)
{
	(void)state;
	send_alloc(1, 1, 4096, BUCKET, EVENT_GO);
	send_alloc(1, 2, 4096, BUCKET, EVENT_GO);
	send_alloc(1, 3, 4096, BUCKET, EVENT_GO | EVENT_REFUSED);
	send_object(EVENT_FREE, 1, 1);
	image->ledger[COUNTER_AGES_BORN] = 5; /* as the programs have counted */
	image->ledger[COUNTER_AGES_REFUSED] = 1;
	image->ledger[COUNTER_AGES_LOST] = 2;
	make();
	assert_int_equal(profile->ledger[COUNTER_AGES_DIED], 1);
	assert_int_equal(profile->ledger[COUNTER_AGES_LIVING], 1);
	assert_int_equal(profile->ledger[COUNTER_AGES_BORN],
			 profile->ledger[COUNTER_AGES_DIED] + profile->ledger[COUNTER_AGES_LIVING] +
				 profile->ledger[COUNTER_AGES_REFUSED] + profile->ledger[COUNTER_AGES_LOST]);
	assert_int_equal(ledger_missing(profile->ledger), 0);
	assert_int_equal(ledger_losses(profile->ledger).count, 3);
}

/* What C has keeps its own ledger and heap. */
static void test_go_objects_are_none_of_malloc_s(void **state)
{
	u64 ledger[COUNTER_MAX] = {[COUNTER_AGES_BORN] = 5, [COUNTER_SAMPLED] = 1};

	(void)state;
	send_alloc(1, 1, 4096, BUCKET, EVENT_GO);
	send_alloc(1, 2, 100, 0, 0);
	assert_int_equal(image->heap.alloc_count, 1);
	assert_int_equal(image->go->objects.alloc_count, 1);
	send_object(EVENT_FREE, 1, 2);
	assert_int_equal(image->heap.inuse_count, 0);
	assert_int_equal(image->go->objects.inuse_count, 1);
	go_objects_leave_out(ledger);
	assert_int_equal(ledger[COUNTER_AGES_BORN], 0);
	assert_int_equal(ledger[COUNTER_SAMPLED], 1);
}

/* Where frees are not traced any more, Go's deaths are told all the same: its objects must not look like leaks. */
static void test_go_objects_die_when_frees_are_not_traced(void **state)
{
	(void)state;
	send_alloc(1, 1, 4096, BUCKET, EVENT_GO);
	send_alloc(1, 2, 100, 0, 0);
	heap_freeze(&image->heap, 1);
	assert_int_equal(send_object(EVENT_FREE, 1, 1), 0);
	assert_int_equal(send_object(EVENT_FREE, 1, 2), 0);
	assert_int_equal(image->go->objects.freed_count, 1);
	assert_int_equal(image->heap.inuse_count, 1);
}

static void test_go_profile_without_probes_has_no_ages(void **state)
{
	(void)state;
	go_objects_release(image->go);
	assert_int_equal(send_alloc(1, 1, 4096, BUCKET, EVENT_GO), 0);
	assert_int_equal(image->heap.alloc_count, 0);
	make();
	assert_false(profile->model.known);
	assert_null(profile->samples[0].lifetime);
}

/* Who adds up processes that have ended, or lists them, wants no ages: a copy of each site's would be made for nothing. */
static void test_go_objects_have_ages_only_where_they_are_wanted(void **state)
{
	(void)state;
	assert_int_equal(send_alloc(1, 1, 4096, BUCKET, EVENT_GO), 0);
	image->ledger[COUNTER_AGES_BORN] = 1;
	make_with(0);
	assert_true(profile->model.known);
	assert_null(profile->samples[0].lifetime);
	assert_null(profile->samples[1].lifetime);
	assert_int_equal(profile->ledger[COUNTER_AGES_LIVING], 1);
	make();
	assert_lifetimes(0, 0, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_followed, teardown_followed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_go_objects_have_ages_and_go_s_counts_stay),
		TEST(test_go_objects_balance_by_themselves),
		TEST(test_go_objects_are_none_of_malloc_s),
		TEST(test_go_objects_die_when_frees_are_not_traced),
		TEST(test_go_profile_without_probes_has_no_ages),
		TEST(test_go_objects_have_ages_only_where_they_are_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
