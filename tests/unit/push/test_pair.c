/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pair.c: what was allocated is in one interval each, also where one could not be sent. */
#include "unit/profile/made_profile.h"

#include <errno.h>

#include "profile/profile_copy.h"
#include "push/pair.h"

static struct made made;
static struct pair pair;
static int source_err;
static u32 questions; /* before each of which the process takes another name */
static char comm[32];

static void take_another_name(void)
{
	snprintf(comm, sizeof(comm), "name%u", ++questions);
	made.profile.comm = comm;
}

static int give_list(struct source *source, bool gc, struct source_listing *ret_listing)
{
	(void)source, (void)gc;
	take_another_name();
	return index_table_add(&ret_listing->processes, profile_copy_facts(&made.profile), NULL);
}

static int give_profile(struct source *source, const struct source_want *want, struct profile **ret_profile)
{
	(void)source;
	assert_true(want->gc && want->living && want->counts && want->adds_up);
	take_another_name();
	*ret_profile = source_err ? NULL : profile_copy(&made.profile);
	return source_err;
}

static int give_both(struct source *source, const struct source_want *want, struct source_listing *ret_listing,
		     struct profile **ret_profile)
{
	int err = give_profile(source, want, ret_profile);

	if (!err)
		err = index_table_add(&ret_listing->processes, profile_copy_facts(&made.profile), NULL);
	ret_listing->ended = true;
	return err;
}

/* What was said of what was given: '+' for kept, '-' for not. */
static char settled[8];

static void note_settled(struct source *source, bool kept)
{
	(void)source;
	assert_true(strlen(settled) + 1 < sizeof(settled));
	strcat(settled, kept ? "+" : "-");
}

static const struct source_ops ops = {
	.list = give_list, .profile = give_profile, .take = give_both, .settle = note_settled};
static struct source source = {&ops};

static int setup(void **state)
{
	(void)state;
	source_err = 0;
	pair = (struct pair){0};
	settled[0] = '\0';
	make(&made, 7, 0x10000, "jit");
	made.profile.sample_bytes = 1;
	made.profile.start_unix_ns = 1000;
	made.profile.duration_ns = 500;
	sample(&made, 0, 10, 10, 4);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pair_release(&pair);
	return 0;
}

/* So much more has been allocated and is in use, so much later. */
static void go_on(u64 alloc, s64 inuse, u64 ns)
{
	made.samples[0].alloc_count += alloc;
	made.samples[0].inuse_count += (u64)inuse;
	made.profile.duration_ns += ns;
}

static void assert_taken(u64 alloc, u64 inuse, u64 duration_ns)
{
	u64 totals[MEASURE_MAX];
	struct source_listing listing;
	struct profile *profile;

	assert_int_equal(pair_take(&pair, &source, &listing, &profile), 0);
	/* What a process was before, or is after, is not what its samples are of. */
	assert_int_equal(listing.processes.count, 1);
	assert_string_equal(listing.processes.entries[0].facts->comm, profile->comm);
	source_listing_release(&listing);
	profile_totals(profile, totals);
	assert_int_equal(totals[ALLOC_OBJECTS], alloc);
	assert_int_equal(totals[INUSE_OBJECTS], inuse);
	assert_int_equal(profile->duration_ns, duration_ns);
	profile_free(profile);
}

/* Whether anything follows is known all the same. */
static void assert_not_taken(int err)
{
	struct source_listing listing;
	struct profile *profile;

	source_err = err;
	assert_int_equal(pair_take(&pair, &source, &listing, &profile), err);
	assert_true(listing.ended);
	source_listing_release(&listing);
	source_err = 0;
}

static void test_pair_allocated_is_of_the_interval_and_in_use_is_all(void **state)
{
	(void)state;
	assert_taken(10, 4, 500);
	pair_keep(&pair);
	go_on(5, -1, 100);
	assert_taken(5, 3, 100);
	pair_keep(&pair);
	go_on(0, 0, 100);
	assert_taken(0, 3, 100);
	pair_keep(&pair);
}

static void test_pair_that_was_dropped_is_in_the_next(void **state)
{
	(void)state;
	assert_taken(10, 4, 500);
	pair_keep(&pair);
	go_on(5, 1, 100);
	assert_taken(5, 5, 100);
	pair_drop(&pair);
	go_on(2, 1, 100);
	assert_taken(7, 6, 200);
	assert_string_equal(settled, "+-");
	pair_keep(&pair);
	pair_release(&pair);
	assert_string_equal(settled, "+-+");
}

static void test_pair_that_was_not_given_is_in_the_next(void **state)
{
	(void)state;
	assert_not_taken(-EBUSY);
	assert_taken(10, 4, 500);
	pair_keep(&pair);
	assert_not_taken(-ENOENT);
	go_on(1, 0, 100);
	assert_taken(1, 4, 100);
	pair_keep(&pair);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pair_allocated_is_of_the_interval_and_in_use_is_all),
		TEST(test_pair_that_was_dropped_is_in_the_next),
		TEST(test_pair_that_was_not_given_is_in_the_next),
	};

	return cmocka_run_group_tests_name("pair", tests, NULL, NULL);
}
