/* SPDX-License-Identifier: GPL-2.0-or-later */
/* intake.c: what each process allocated is in one interval each, until its end and beyond another program; what is not pushed is counted. */
#include "unit/profile/made_profile.h"

#include <errno.h>
#include <string.h>

#include "base/status.h"
#include "push/intake.h"
#include "push/pair.h"

static struct intake intake;
static struct pair pair;
static struct made first, second;

static void make_process(struct made *made, u32 pid, u64 base, u64 alloc, u64 inuse)
{
	make(made, pid, base, "jit");
	made->profile.sample_bytes = 1;
	sample(made, 0, 10, alloc, inuse);
}

static int setup(void **state)
{
	(void)state;
	pair = (struct pair){0};
	intake_open(&intake, true, false, 1);
	make_process(&first, 7, 0x10000, 10, 4);
	make_process(&second, 8, 0x20000, 100, 50);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pair_release(&pair);
	intake_release(&intake);
	return 0;
}

/* So much more has been allocated and is in use. */
static void go_on(struct made *made, u64 alloc, s64 inuse)
{
	made->samples[0].alloc_count += alloc;
	made->samples[0].inuse_count += (u64)inuse;
	made->profile.duration_ns += 100;
}

static void end_process(struct made *made, u32 process)
{
	made->profile.exited = true;
	intake_add(&intake, &made->profile, process, true);
}

static int take_pair(struct profile **ret_profile)
{
	struct source_listing listing;
	int err = pair_take(&pair, &intake.source, &listing, ret_profile);

	source_listing_release(&listing);
	return err;
}

static void take_interval(u64 alloc, u64 inuse)
{
	u64 totals[MEASURE_MAX];
	struct profile *profile;

	assert_int_equal(take_pair(&profile), 0);
	profile_totals(profile, totals);
	assert_int_equal(totals[ALLOC_OBJECTS], alloc);
	assert_int_equal(totals[INUSE_OBJECTS], inuse);
	profile_free(profile);
}

static void assert_interval(u64 alloc, u64 inuse)
{
	take_interval(alloc, inuse);
	pair_drop(&pair);
}

static void send_interval(u64 alloc, u64 inuse)
{
	take_interval(alloc, inuse);
	pair_keep(&pair);
	intake_next(&intake, true);
}

static void test_intake_has_what_was_allocated_in_each_interval(void **state)
{
	(void)state;
	intake_add(&intake, &first.profile, 1, false);
	intake_add(&intake, &second.profile, 2, false);
	send_interval(110, 54);
	go_on(&first, 5, -1);
	intake_add(&intake, &first.profile, 1, false);
	intake_add(&intake, &second.profile, 2, false);
	send_interval(5, 53);
}

/* It is handed over once, when it ends, which may be long before the interval does. */
static void test_intake_of_a_process_that_has_ended_is_in_one_interval(void **state)
{
	(void)state;
	intake_add(&intake, &first.profile, 1, false);
	intake_add(&intake, &second.profile, 2, false);
	send_interval(110, 54);
	go_on(&first, 3, 2);
	end_process(&first, 1);
	go_on(&second, 1, 0);
	intake_add(&intake, &second.profile, 2, false);
	send_interval(4, 50);
	intake_add(&intake, &second.profile, 2, true);
	send_interval(0, 50);
	assert_int_equal(intake_say_losses(&intake), STATUS_DONE);
}

/* The same pid, and the same code: without the image's number the second would be taken for the first, and lose what that had. */
static void test_intake_tells_programs_of_one_process_apart(void **state)
{
	struct made next;

	(void)state;
	intake_add(&intake, &first.profile, 1, false);
	send_interval(10, 4);
	go_on(&first, 2, 0);
	end_process(&first, 1);
	make_process(&next, 7, 0x10000, 3, 3);
	next.profile.image = 2;
	intake_add(&intake, &next.profile, 2, false);
	send_interval(5, 3);
	go_on(&next, 6, 1);
	intake_add(&intake, &next.profile, 2, false);
	send_interval(6, 4);
}

static void test_intake_of_an_interval_that_was_put_off_is_in_the_next(void **state)
{
	struct profile *profile;

	(void)state;
	intake_add(&intake, &first.profile, 1, false);
	send_interval(10, 4);
	go_on(&first, 5, 1);
	end_process(&first, 1);
	intake_add(&intake, NULL, 2, false);
	assert_int_equal(take_pair(&profile), -ENOMEM);
	intake_next(&intake, false);
	intake_add(&intake, &second.profile, 2, false);
	send_interval(105, 50);
	assert_int_equal(intake_say_losses(&intake), STATUS_DONE);
}

static void test_intake_without_a_process_gives_nothing(void **state)
{
	struct source_listing listing;
	struct profile *profile;

	(void)state;
	first.profile.sample_count = 0;
	intake_add(&intake, &first.profile, 1, false);
	assert_int_equal(take_pair(&profile), -ENOENT);
	assert_int_equal(source_list(&intake.source, false, &listing), 0);
	assert_int_equal(listing.processes.count, 0);
	assert_true(listing.named && !listing.ended);
	source_listing_release(&listing);
}

/* The last entry of a pid is what the process is now. */
static void test_intake_lists_what_the_processes_are(void **state)
{
	struct source_listing listing;

	(void)state;
	intake_add(&intake, &second.profile, 3, false);
	first.profile.comm = (char *)"before";
	end_process(&first, 1);
	assert_int_equal(source_list(&intake.source, false, &listing), 0);
	assert_int_equal(listing.processes.count, 2);
	assert_string_equal(listing.processes.entries[0].facts->comm, "before");
	assert_int_equal(listing.processes.entries[1].facts->pid, 8);
	source_listing_release(&listing);
}

static void test_intake_counts_the_ended_that_are_too_many(void **state)
{
	(void)state;
	first.profile.exited = true;
	for (u32 i = 0; i < INTAKE_ENDED_MAX + 2; i++) {
		first.profile.pid = i + 1;
		intake_add(&intake, &first.profile, i + 1, true);
	}
	intake_add(&intake, NULL, 5000, true);
	assert_int_equal(intake.lost, 3);
	assert_interval(10 * INTAKE_ENDED_MAX, 0);
	assert_int_equal(intake_say_losses(&intake), STATUS_FAILED);
}

/* What Go says of its own heap is one process's with the rest only where it samples as often. */
static void test_intake_leaves_out_what_samples_at_another_interval(void **state)
{
	(void)state;
	strcpy(first.profile.go.version, "go1.24");
	first.profile.sample_bytes = 512 << 10;
	intake_add(&intake, &first.profile, 1, false);
	intake_add(&intake, &second.profile, 2, false);
	assert_interval(100, 50);
	assert_true(intake.left_out_go);
	assert_int_equal(intake_say_losses(&intake), STATUS_DONE);
	first.profile.sample_bytes = 1;
	intake_add(&intake, &first.profile, 1, false);
	assert_interval(110, 54);
}

/* Go says what is in use, whatever heaptap records. */
static void test_intake_of_allocations_alone_leaves_out_what_go_says(void **state)
{
	(void)state;
	intake_open(&intake, true, true, 1);
	strcpy(first.profile.go.version, "go1.24");
	second.profile.alloc_only = true;
	intake_add(&intake, &first.profile, 1, false);
	intake_add(&intake, &second.profile, 2, false);
	assert_interval(100, 0);
	end_process(&first, 1);
	assert_true(intake.left_out_go);
	assert_int_equal(intake_say_losses(&intake), STATUS_DONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_intake_has_what_was_allocated_in_each_interval),
		TEST(test_intake_of_a_process_that_has_ended_is_in_one_interval),
		TEST(test_intake_tells_programs_of_one_process_apart),
		TEST(test_intake_of_an_interval_that_was_put_off_is_in_the_next),
		TEST(test_intake_without_a_process_gives_nothing),
		TEST(test_intake_lists_what_the_processes_are),
		TEST(test_intake_counts_the_ended_that_are_too_many),
		TEST(test_intake_leaves_out_what_samples_at_another_interval),
		TEST(test_intake_of_allocations_alone_leaves_out_what_go_says),
	};

	return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
