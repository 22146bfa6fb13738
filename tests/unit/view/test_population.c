/* SPDX-License-Identifier: GPL-2.0-or-later */
/* population.c: what lives and what has ended are apart, errors add up as squares, and nothing lost is left out. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "view/population.h"

static struct profile facts[4];
static struct index_entry entries[4];

/* Two that live, one that has ended, and five of one program, of which three have ended with 30 bytes. */
static int setup(void **state)
{
	static const u64 inuse[] = {1000, 200, 50, 80};

	(void)state;
	memset(facts, 0, sizeof(facts));
	memset(entries, 0, sizeof(entries));
	for (u32 i = 0; i < 4; i++) {
		entries[i].facts = &facts[i];
		entries[i].total[INUSE_SPACE] = inuse[i];
		entries[i].total[ALLOC_SPACE] = 10 * inuse[i];
		entries[i].samples = i + 1;
	}
	facts[2].exited = true;
	facts[3].processes = 5;
	facts[3].ended = (struct profile_ended){.processes = 3, .inuse_objects = 3, .inuse_space = 30};
	return 0;
}

static void test_population_tells_what_lives_from_what_has_ended(void **state)
{
	struct population population;

	(void)state;
	population_sum(entries, 4, &population);
	assert_int_equal(population.facts.processes, 8);
	assert_int_equal(population.facts.ended.processes, 4);
	assert_int_equal(population.living, 4);
	assert_int_equal(population.inuse_space, 1000 + 200 + 50);
	assert_int_equal(population.facts.ended.inuse_space, 50 + 30);
	assert_int_equal(population.sum.total[INUSE_SPACE], 1330);
	assert_int_equal(population.sum.total[ALLOC_SPACE], 13300);
	assert_int_equal(population.sum.samples, 10);
}

/* An ended process adds no error to what is in use now; one that is not known is not known in the sum. */
static void test_population_error_is_of_the_living(void **state)
{
	struct population population;

	(void)state;
	entries[0].stderr_total[INUSE_SPACE] = 3;
	entries[1].stderr_total[INUSE_SPACE] = 4;
	entries[2].stderr_total[INUSE_SPACE] = 100;
	population_sum(entries, 3, &population);
	assert_true(population.inuse_error == 5);
	entries[1].stderr_total[INUSE_SPACE] = NAN;
	population_sum(entries, 3, &population);
	assert_true(isnan(population.inuse_error));
}

static void test_population_counts_losses_of_all_kinds_and_processes(void **state)
{
	struct population population;

	(void)state;
	facts[0].ledger[COUNTER_LOST_RING] = 5;
	facts[1].ledger[COUNTER_FREE_UNSEEN] = 6;
	facts[1].ledger[COUNTER_FREED] = 100; /* no loss */
	population_sum(entries, 4, &population);
	assert_int_equal(population.lost, 11);
}

/* A minute of a growth that is larger than any number of bytes is no less than that of another. */
static void test_rank_of_what_grows_without_measure_is_the_highest(void **state)
{
	(void)state;
	entries[0].lifespan = (struct lifetime_summary){.verdict = VERDICT_GROWING, .growth = 1e9};
	entries[1].lifespan = (struct lifetime_summary){.verdict = VERDICT_GROWING, .growth = 0x1p62};
	entries[2].lifespan = (struct lifetime_summary){.verdict = VERDICT_GROWING, .growth = INFINITY};
	assert_true(index_entry_rank(&entries[1]) > index_entry_rank(&entries[0]));
	assert_true(index_entry_rank(&entries[2]) > index_entry_rank(&entries[0]));
	entries[1].total[INUSE_SPACE] = (u64)-1;
	assert_true(index_entry_rank(&entries[1]) > index_entry_rank(&entries[0]));
}

/* It has an interval of its own, and says what is in use also with --alloc-only. */
static void make_go(u32 number)
{
	strcpy(facts[number].go.version, "go1.24.4");
	facts[number].sample_bytes = 512 << 10;
	facts[number].alloc_only = false;
}

static void test_population_has_the_interval_of_those_that_are_traced(void **state)
{
	struct population population;

	(void)state;
	for (u32 go = 0; go < 4; go++) {
		for (u32 i = 0; i < 4; i++)
			facts[i] = (struct profile){.sample_bytes = 64 << 10, .alloc_only = true};
		make_go(go);
		population_sum(entries, 4, &population);
		assert_int_equal(population.facts.sample_bytes, 64 << 10);
		assert_true(population.facts.alloc_only);
	}
}

static void test_population_of_go_programs_alone_has_their_interval(void **state)
{
	struct population population;

	(void)state;
	for (u32 i = 0; i < 4; i++)
		make_go(i);
	population_sum(entries, 4, &population);
	assert_int_equal(population.facts.sample_bytes, 512 << 10);
	assert_false(population.facts.alloc_only);
}

/* --- growth --- */

#define MANY 50000
#define CPU_MOST                                                                                                       \
	3 /* seconds: one look at all of them takes a thousandth of that, and one for each of them a multiple */

static void grow(struct index_entry *entry, double growth)
{
	entry->lifespan = (struct lifetime_summary){.samples = 1, .verdict = VERDICT_GROWING, .growth = growth};
}

/* The first to be full is not the one with the fastest process, but that with the least room for all in it together. */
static void test_population_growth_is_of_groups(void **state)
{
	(void)state;
	for (u32 i = 0; i < 4; i++) {
		facts[i] = (struct profile){.memory_limit = 1000, .memory_used = 400};
		grow(&entries[i], 10);
	}
	assert_true(population_growth(entries, 4).left_s == 60); /* of unknown groups, hence each alone */
	facts[0].cgroup = facts[2].cgroup = (char *)"/b";
	facts[1].cgroup = (char *)"";
	facts[3].cgroup = (char *)"/a";
	assert_true(population_growth(entries, 4).left_s == 30);
	assert_int_equal(population_growth(entries, 4).processes, 4);
	assert_true(population_growth(entries, 4).bytes == 40);
	facts[0].memory_limit = facts[2].memory_limit = 0;
	grow(&entries[1], 12);
	assert_true(population_growth(entries, 4).left_s == 50);
	facts[2].memory_limit = 1000; /* that one alone of its group was seen to have it */
	assert_true(population_growth(entries, 4).left_s == 30);
	facts[2].exited = true;
	assert_true(population_growth(entries, 4).left_s == 50);
	assert_int_equal(population_growth(entries, 4).processes, 3);
}

/* top asks for it at every frame. */
static void test_population_growth_of_many_agrees_with_that_of_each(void **state)
{
	struct index_entry *many = calloc(MANY, sizeof(*many));
	double left = INFINITY;
	clock_t begun;

	(void)state;
	assert_non_null(many);
	for (u32 i = 0; i < 4; i++) {
		static const char *const groups[] = {"/a", NULL, "/b", "/a"};

		facts[i] = (struct profile){
			.cgroup = (char *)groups[i], .memory_limit = 1000 + 100 * i, .memory_used = 400};
	}
	for (u32 i = 0; i < MANY; i++) {
		many[i].facts = &facts[i % 4];
		grow(&many[i], i % 7);
	}
	for (u32 i = 0; i < 4; i++)
		left = fmin(left, population_time_left(many, MANY, &many[i]));
	begun = clock();
	assert_true(population_growth(many, MANY).left_s == left);
	assert_true((clock() - begun) / CLOCKS_PER_SEC < CPU_MOST);
	free(many);
}

static void test_population_of_nobody_is_zero(void **state)
{
	struct population population;

	(void)state;
	population_sum(NULL, 0, &population);
	assert_int_equal(population.living, 0);
	assert_int_equal(population.inuse_space, 0);
	assert_int_equal(population_growth(NULL, 0).processes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_population_tells_what_lives_from_what_has_ended, setup),
		cmocka_unit_test_setup(test_population_error_is_of_the_living, setup),
		cmocka_unit_test_setup(test_population_counts_losses_of_all_kinds_and_processes, setup),
		cmocka_unit_test_setup(test_rank_of_what_grows_without_measure_is_the_highest, setup),
		cmocka_unit_test_setup(test_population_has_the_interval_of_those_that_are_traced, setup),
		cmocka_unit_test_setup(test_population_of_go_programs_alone_has_their_interval, setup),
		cmocka_unit_test_setup(test_population_growth_is_of_groups, setup),
		cmocka_unit_test_setup(test_population_growth_of_many_agrees_with_that_of_each, setup),
		cmocka_unit_test_setup(test_population_of_nobody_is_zero, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
