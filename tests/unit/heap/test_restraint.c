/* SPDX-License-Identifier: GPL-2.0-or-later */
/* heap/restraint: what events are worth once frees are not traced any more, or the probes are on in some windows only. */
#include "heap/snapshot.h"
#include "recorder_event.h"

static void send_alloc_at(u64 object, u64 size, u64 time_ns, u16 flags)
{
	struct event_alloc event = {
		.header = {.kind = EVENT_ALLOC, .flags = flags, .process = 1, .time_ns = time_ns},
		.object = object,
		.addr = 0x5000 + 16 * object,
		.size = size,
	};

	assert_int_equal(apply_event(recorder, &event.header, sizeof(event)), 0);
}

static void send_end_at(u16 kind, u64 object, u64 time_ns)
{
	struct event_moved event = {
		.header = {.kind = kind, .process = 1, .time_ns = time_ns}, .object = object, .tid = 7};

	assert_int_equal(apply_event(recorder, &event.header, sizeof(event)), 0);
}

static struct profile *snapshot(struct image *image, u64 now_ns)
{
	struct profile *profile;

	assert_int_equal(snapshot_take(recorder_options(recorder), image, now_ns, 0, &profile), 0);
	return profile;
}

static void assert_totals(struct image *image, u64 now_ns, u64 allocated, u64 in_use)
{
	struct profile *profile = snapshot(image, now_ns);
	u64 total[MEASURE_MAX];

	profile_totals(profile, total);
	assert_int_equal(total[ALLOC_OBJECTS], allocated);
	assert_int_equal(total[INUSE_OBJECTS], in_use);
	profile_free(profile);
}

/* sampled is the kernel's to count: here each event is one. */
static void assert_balanced(struct image *image, u64 sampled)
{
	image->ledger[COUNTER_SAMPLED] = sampled;
	image_balance(image);
	assert_int_equal(ledger_missing(image->ledger), 0);
}

static void test_restraint_none_changes_nothing(void **state)
{
	struct image *image = begin(1, PID);

	(void)state;
	recorder_restraint(recorder)->limit_percent = 5;
	send_alloc_at(1, 100, 1000, 0);
	send_end_at(EVENT_FREE, 1, 2000);
	recorder_tick(recorder, 3000);
	assert_totals(image, 3000, 1, 0);
	assert_int_equal(image->heap.frozen_ns, 0);
}

static void test_restraint_in_use_is_as_of_the_moment(void **state)
{
	struct image *image = begin(1, PID);

	(void)state;
	for (u64 i = 1; i <= 10; i++)
		send_alloc_at(i, 100, 1000, 0);
	send_end_at(EVENT_FREE, 1, 1500);
	recorder_restraint(recorder)->frees_ended_ns = 2000;
	/* Told later, and happened before. */
	send_alloc_at(11, 100, 1900, 0);
	send_end_at(EVENT_FREE, 2, 1950);
	/* What the probes still tell until they are gone. */
	send_end_at(EVENT_FREE, 3, 2001);
	send_end_at(EVENT_MOVED, 4, 2001);
	send_end_at(EVENT_OVERWRITE, 5, 2002);
	send_alloc_at(12, 100, 2003, 0);
	send_alloc_at(13, 100, 2004, EVENT_UNFOLLOWED);
	assert_totals(image, 3000, 13, 9);
	assert_int_equal(image->heap.freed_count, 2);
	assert_int_equal(image->heap.unfollowed_count, 2);
	assert_int_equal(image->ledger[COUNTER_BUDGET_UNFOLLOWED], 2);
	assert_balanced(image, 13);
}

/* What is allocated later is in the next profile, although no cycle completes. */
static void test_restraint_later_allocations_are_published_at_once(void **state)
{
	struct image *image = begin(1, PID);

	(void)state;
	send_alloc_at(1, 6 << 20, 1000, 0);
	recorder_restraint(recorder)->frees_ended_ns = 2000;
	recorder_tick(recorder, 2500);
	assert_totals(image, 3000, 1, 1);
	for (u64 i = 0; i < 100; i++) {
		send_alloc_at(2 + i, 6 << 20, 3000 + i, EVENT_UNFOLLOWED);
		assert_totals(image, 4000, 2 + i, 1);
	}
}

/* Nothing ages, no cycle completes, so that what cannot be seen to be freed is not taken for a leak. */
static void test_restraint_ages_stand_still(void **state)
{
	struct image *image = begin(1, PID);
	struct profile *before, *after;

	(void)state;
	for (u64 i = 1; i <= 20; i++)
		send_alloc_at(i, 1 << 20, i * 1000000000, 0);
	recorder_restraint(recorder)->frees_ended_ns = 21000000000;
	recorder_tick(recorder, 22000000000);
	before = snapshot(image, 22000000000);
	for (u64 i = 0; i < 1000; i++)
		send_alloc_at(100 + i, 1 << 20, (22 + i) * 1000000000, EVENT_UNFOLLOWED);
	recorder_tick(recorder, 2000000000000);
	after = snapshot(image, 2000000000000);
	assert_int_equal(before->model.cycles, after->model.cycles);
	assert_int_equal(before->model.ticks, after->model.ticks);
	assert_memory_equal(before->model.age_ns, after->model.age_ns, sizeof(before->model.age_ns));
	assert_true(after->restraint.frees_ended);
	assert_int_equal(after->restraint.frees_ended_ns, 21000000000 - 10);
	assert_false(profile_knows_inuse(after));
	profile_free(before);
	profile_free(after);
}

/* A realloc that failed gives its old object back. */
static void test_restraint_failed_realloc_across_the_moment_keeps_its_object(void **state)
{
	struct image *image = begin(1, PID);

	(void)state;
	send_alloc_at(1, 100, 1000, 0);
	send_end_at(EVENT_MOVED, 1, 1999);
	recorder_restraint(recorder)->frees_ended_ns = 2000;
	send_end_at(EVENT_REVIVED, 1, 2001);
	assert_totals(image, 3000, 1, 1);
	assert_balanced(image, 1);
}

static void test_restraint_process_that_begins_later_has_nothing_in_use(void **state)
{
	struct image *image;

	(void)state;
	recorder_restraint(recorder)->frees_ended_ns = 5;
	image = begin(1, PID);
	send_alloc_at(1, 100, 1000, EVENT_UNFOLLOWED);
	assert_totals(image, 3000, 1, 0);
}

static void test_restraint_ended_process_keeps_what_it_had(void **state)
{
	struct image *image = begin(1, PID);
	struct profile *profile;

	(void)state;
	send_alloc_at(1, 100, 1000, 0);
	recorder_end(recorder, image, 1500);
	recorder_restraint(recorder)->frees_ended_ns = 2000;
	recorder_tick(recorder, 3000);
	profile = snapshot(image, 3000);
	assert_false(profile->restraint.frees_ended);
	profile_free(profile);
}

/* Each sample of a window counts for the windows that there were none of, by the time at which it was taken. */
static void test_restraint_samples_count_by_their_time(void **state)
{
	struct image *image = begin(1, PID);
	struct restraint_state *restraint = recorder_restraint(recorder);
	struct profile *profile;

	(void)state;
	send_alloc_at(1, 100, 1000, EVENT_UNFOLLOWED);
	*restraint = (struct restraint_state){.limit_percent = 5,
					      .scale = 8,
					      .scale_before = 1,
					      .scale_ns = 2000,
					      .scale_most = 8,
					      .scaled_ns = 2000};
	send_alloc_at(2, 100, 1999, EVENT_UNFOLLOWED);
	send_alloc_at(3, 100, 2000, EVENT_UNFOLLOWED);
	restraint->scale_before = 8;
	restraint->scale = 4;
	restraint->scale_ns = 3000;
	send_alloc_at(4, 100, 2999, EVENT_UNFOLLOWED);
	send_alloc_at(5, 100, 3000, EVENT_UNFOLLOWED);
	assert_totals(image, 4000, 1 + 1 + 8 + 8 + 4, 0);
	assert_int_equal(image->ledger[COUNTER_BUDGET_SCALED], 3);
	assert_int_equal(image->heap.alloc_count, 5);
	assert_true(image->heap.alloc_bytes == 22 * 100);
	assert_balanced(image, 5);
	profile = snapshot(image, 4000);
	assert_int_equal(profile->restraint.scale, 8);
	assert_false(profile_is_exact(profile));
	profile_free(profile);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_restraint_none_changes_nothing),
		TEST(test_restraint_in_use_is_as_of_the_moment),
		TEST(test_restraint_later_allocations_are_published_at_once),
		TEST(test_restraint_ages_stand_still),
		TEST(test_restraint_failed_realloc_across_the_moment_keeps_its_object),
		TEST(test_restraint_process_that_begins_later_has_nothing_in_use),
		TEST(test_restraint_ended_process_keeps_what_it_had),
		TEST(test_restraint_samples_count_by_their_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
