/* SPDX-License-Identifier: GPL-2.0-or-later */
/* past.c: which snapshots are read, how many at the most, and what is made of one that cannot be. */
#include "unit/profile/golden.h"

#include <errno.h>

#include "profile/profile_copy.h"
#include "top/past.h"

#define MOMENTS 100

/* Each process has as many moments; at moment i its samples in use are i + 1 times those of the golden file. */
static u32 damaged, reads;

static u32 count_moments(struct source *source, const struct source_want *want)
{
	(void)source;
	return want->pid == 1 ? 0 : MOMENTS; /* the first one was too short-lived */
}

static struct profile *profile_at(u32 index)
{
	struct profile small = golden_small(), *profile = profile_copy(&small);

	assert_non_null(profile);
	for (u32 i = 0; i < profile->sample_count; i++)
		profile->samples[i].inuse_count *= index + 1;
	return profile;
}

static u64 inuse_at(u32 index)
{
	struct profile *profile = profile_at(index);
	u64 total[MEASURE_MAX];

	profile_totals(profile, total);
	profile_free(profile);
	return total[INUSE_SPACE];
}

static int read_moment(struct source *source, const struct source_want *want, u32 index, struct profile **ret_profile)
{
	(void)source, (void)want;
	reads++;
	if (index == damaged)
		return -EBADMSG;
	*ret_profile = profile_at(index);
	return 0;
}

static const struct source_ops ops = {.moment_count = count_moments, .moment = read_moment};
static struct source source = {&ops};

/* Processes 1 to `count`, as they are listed. */
static void read_processes(u32 count, struct past *ret_past)
{
	struct profile *facts = calloc(count, sizeof(*facts));
	struct index_entry *entries = calloc(count, sizeof(*entries));
	const struct source_listing listing = {.processes = {entries, count}};

	for (u32 i = 0; i < count; i++) {
		facts[i] = (struct profile){.pid = i + 1, .image = 1};
		entries[i].facts = &facts[i];
	}
	reads = 0;
	past_read(&source, &listing, &(struct screen_target){0}, ret_past);
	free(entries);
	free(facts);
}

static void test_past_of_processes_is_spread_and_ends_with_the_last_snapshot(void **state)
{
	struct past past;

	(void)state;
	damaged = UINT32_MAX;
	read_processes(3, &past);
	assert_int_equal(past.process_count, 2);
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(past.processes[i].pid, i + 2);
		assert_int_equal(past.processes[i].count, PAST_MOMENTS);
		assert_int_equal(past.processes[i].inuse[PAST_MOMENTS - 1], inuse_at(MOMENTS - 1));
		for (u32 j = 1; j < PAST_MOMENTS; j++)
			assert_in_range(past.processes[i].inuse[j] - past.processes[i].inuse[j - 1], inuse_at(5),
					inuse_at(7)); /* six or seven moments */
	}
	past_release(&past);
}

/* One process of those has no snapshot. */
static void test_past_of_many_processes_is_short_and_of_very_many_none(void **state)
{
	struct past past;

	(void)state;
	damaged = UINT32_MAX;
	read_processes(41, &past);
	assert_int_equal(past.process_count, 40);
	assert_int_equal(past.processes[39].count, PAST_READS_MAX / 40);
	assert_int_equal(reads, PAST_READS_MAX);
	past_release(&past);
	read_processes(62, &past);
	assert_int_equal(past.process_count, 0);
	assert_int_equal(reads, 0);
	past_release(&past);
}

static void test_past_leaves_out_what_cannot_be_read(void **state)
{
	struct past past;

	(void)state;
	damaged = MOMENTS - 1;
	read_processes(2, &past);
	assert_int_equal(past.processes[0].count, PAST_MOMENTS - 1);
	past_release(&past);
}

static void test_past_of_sites_has_the_totals_of_the_process(void **state)
{
	const struct source_listing listing = {0};
	struct past past;

	(void)state;
	damaged = 0;
	past_read(&source, &listing, &(struct screen_target){1, 1}, &past);
	assert_null(past.sites);
	past_release(&past);
	past_read(&source, &listing, &(struct screen_target){2, 1}, &past);
	assert_non_null(past.sites);
	assert_int_equal(past.sites->count, PAST_MOMENTS);
	assert_int_equal(past.sites->points[PAST_MOMENTS - 1].value[INUSE_SPACE], inuse_at(MOMENTS - 1));
	past_release(&past);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_past_of_processes_is_spread_and_ends_with_the_last_snapshot),
		cmocka_unit_test(test_past_of_many_processes_is_short_and_of_very_many_none),
		cmocka_unit_test(test_past_leaves_out_what_cannot_be_read),
		cmocka_unit_test(test_past_of_sites_has_the_totals_of_the_process),
	};

	return cmocka_run_group_tests_name("past", tests, NULL, NULL);
}
