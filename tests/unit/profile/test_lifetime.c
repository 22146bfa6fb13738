/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lifetime.c: classes of age, that nothing is lost when buckets of time fold, that what is taken back leaves no trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "profile/lifetime.h"
#include "chance.h"

/* Here ticks are cycles, but in test_lifetime_ages_go_by_cycles_and_buckets_by_ticks. */
static struct lifetime_time at(u32 cycle)
{
	return (struct lifetime_time){cycle, cycle};
}

static void test_lifetime_class_ages_up_to_31_are_their_own(void **state)
{
	(void)state;
	for (u32 age = 0; age < 32; age++) {
		assert_int_equal(lifetime_class(age), age);
		assert_int_equal(lifetime_class_start(age), age);
	}
}

static void test_lifetime_class_older_ages_double(void **state)
{
	(void)state;
	assert_int_equal(lifetime_class(32), 32);
	assert_int_equal(lifetime_class(63), 32);
	assert_int_equal(lifetime_class(64), 33);
	assert_int_equal(lifetime_class((1U << 20) - 1), LIFETIME_CLASSES - 2);
	assert_int_equal(lifetime_class(1U << 20), LIFETIME_CLASSES - 1);
	assert_int_equal(lifetime_class(UINT32_MAX), LIFETIME_CLASSES - 1);
	for (u32 k = 1; k < LIFETIME_CLASSES; k++) {
		assert_int_equal(lifetime_class(lifetime_class_start(k)), k);
		assert_int_equal(lifetime_class(lifetime_class_start(k) - 1), k - 1);
	}
}

static void test_lifetime_death_is_counted_by_age_and_by_time(void **state)
{
	struct lifetime lifetime = {0};

	(void)state;
	lifetime_birth(&lifetime, 3);
	lifetime_birth(&lifetime, 3);
	lifetime_death(&lifetime, at(3), at(10));
	lifetime_end(&lifetime, 3, 12);
	assert_int_equal(lifetime.width, 1);
	assert_int_equal(lifetime.born[3], 2);
	assert_int_equal(lifetime.gone[lifetime_cell(3, 10)], 1);
	assert_int_equal(lifetime.died[7], 1);
	assert_int_equal(lifetime.ended[9], 1);
}

static void test_lifetime_ages_go_by_cycles_and_buckets_by_ticks(void **state)
{
	struct lifetime lifetime = {0};

	(void)state;
	lifetime_birth(&lifetime, 100);
	lifetime_death(&lifetime, (struct lifetime_time){2, 100}, (struct lifetime_time){5, 900});
	assert_int_equal(lifetime.width, 128);
	assert_int_equal(lifetime.born[0], 1);
	assert_int_equal(lifetime.gone[lifetime_cell(0, 7)], 1);
	assert_int_equal(lifetime.died[3], 1);
	lifetime_revive(&lifetime, (struct lifetime_time){2, 100}, (struct lifetime_time){5, 900});
	assert_int_equal(lifetime.gone[lifetime_cell(0, 7)] + lifetime.died[3], 0);
}

static void test_lifetime_birth_after_death_is_age_0(void **state)
{
	struct lifetime lifetime = {0};

	(void)state;
	lifetime_death(&lifetime, at(9), at(4));
	lifetime_end(&lifetime, 9, 4);
	assert_int_equal(lifetime.died[0], 1);
	assert_int_equal(lifetime.ended[0], 1);
	assert_int_equal(lifetime.gone[lifetime_cell(4, 4)], 1);
}

/* The width follows from the cycle alone, and there are 7 to 14 buckets from the 7th cycle on. */
static void test_lifetime_advance_width_doubles_when_buckets_are_full(void **state)
{
	struct lifetime by_step = {0};

	(void)state;
	for (u32 cycle = 0; cycle < 100000; cycle++) {
		struct lifetime at_once = {0};

		lifetime_advance(&by_step, cycle);
		lifetime_advance(&at_once, cycle);
		assert_int_equal(by_step.width, at_once.width);
		assert_true(cycle / by_step.width < LIFETIME_BUCKETS);
		assert_true(cycle < 7 || cycle / by_step.width >= 7);
	}
	lifetime_advance(&by_step, UINT32_MAX);
	assert_int_equal(by_step.width, 1U << 29);
}

/* Any history, in any order and folded at any time, equals one recorded in buckets that were wide from the start. */
static void test_lifetime_folding_keeps_every_count(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 200; seed++) {
		struct lifetime folded = {0}, wide = {0};
		u64 chance = seed;
		u32 cycles = 1 + (u32)(chance_next(&chance) % (1U << seed % 32));

		lifetime_advance(&wide, cycles);
		for (int i = 0; i < 500; i++) {
			u32 a = (u32)(chance_next(&chance) % (cycles + 1ULL)),
			    b = (u32)(chance_next(&chance) % (cycles + 1ULL));
			u32 birth = a < b ? a : b, death = a < b ? b : a;

			lifetime_birth(&folded, birth);
			lifetime_death(&folded, at(birth), at(death));
			wide.born[birth / wide.width]++;
			wide.gone[lifetime_cell(birth / wide.width, death / wide.width)]++;
			wide.died[lifetime_class(death - birth)]++;
		}
		lifetime_advance(&folded, cycles);
		assert_memory_equal(&folded, &wide, sizeof(wide));
	}
}

static void test_lifetime_revive_takes_the_death_back(void **state)
{
	struct lifetime lifetime = {0}, before;

	(void)state;
	lifetime_birth(&lifetime, 5);
	lifetime_birth(&lifetime, 6);
	lifetime_death(&lifetime, at(5), at(9));
	before = lifetime;
	lifetime_death(&lifetime, at(6), at(13));
	lifetime_revive(&lifetime, at(6), at(13));
	assert_memory_equal(&lifetime, &before, sizeof(before));
}

static void test_lifetime_revive_after_a_fold_finds_the_death(void **state)
{
	struct lifetime lifetime = {0}, before;

	(void)state;
	lifetime_birth(&lifetime, 6);
	before = lifetime;
	lifetime_death(&lifetime, at(6), at(13));
	lifetime_birth(&lifetime, 100);
	lifetime_birth(&before, 100);
	lifetime_revive(&lifetime, at(6), at(13));
	assert_memory_equal(&lifetime, &before, sizeof(before));
}

static void test_lifetime_revive_without_a_death_changes_nothing(void **state)
{
	struct lifetime lifetime = {.width = 1}, before = lifetime;

	(void)state;
	lifetime_revive(&lifetime, at(6), at(13));
	assert_memory_equal(&lifetime, &before, sizeof(before));
}

static void test_lifetime_reopen_takes_ends_back(void **state)
{
	struct lifetime lifetime = {0}, before;

	(void)state;
	lifetime_birth(&lifetime, 0);
	lifetime_birth(&lifetime, 2);
	lifetime_death(&lifetime, at(0), at(2));
	before = lifetime;
	lifetime_end(&lifetime, 2, 900);
	lifetime_reopen(&lifetime);
	assert_memory_equal(&lifetime, &before, sizeof(before));
}

static void test_lifetime_full_count_stays_full(void **state)
{
	struct lifetime lifetime = {.width = 1, .died = {UINT32_MAX}, .born = {UINT32_MAX, 1}, .gone = {UINT32_MAX}};

	(void)state;
	lifetime_birth(&lifetime, 0);
	lifetime_death(&lifetime, at(0), at(0));
	lifetime_advance(&lifetime, LIFETIME_BUCKETS);
	assert_int_equal(lifetime.died[0], UINT32_MAX);
	assert_int_equal(lifetime.born[0], UINT32_MAX);
	assert_int_equal(lifetime.gone[0], UINT32_MAX);
}

static void test_lifetime_add_sums_two_records(void **state)
{
	struct lifetime sum = {0}, parts[2] = {{0}, {0}};

	(void)state;
	for (u32 i = 0; i < 60; i++) {
		lifetime_birth(&parts[i % 2], i / 5);
		lifetime_birth(&sum, i / 5);
		if (i % 3) {
			lifetime_death(&parts[i % 2], at(i / 5), at(i / 4));
			lifetime_death(&sum, at(i / 5), at(i / 4));
		} else {
			lifetime_end(&parts[i % 2], i / 5, 60);
			lifetime_end(&sum, i / 5, 60);
		}
	}
	lifetime_advance(&parts[0], 60);
	lifetime_advance(&parts[1], 60);
	lifetime_advance(&sum, 60);
	lifetime_add(&parts[0], &parts[1]);
	assert_memory_equal(&parts[0], &sum, sizeof(sum));
}

static void test_lifetime_width_is_that_of_a_record(void **state)
{
	struct lifetime lifetime = {0};

	(void)state;
	for (u32 cycle = 0; cycle < 5000; cycle++) {
		lifetime_advance(&lifetime, cycle);
		assert_int_equal(lifetime_width(cycle), lifetime.width);
	}
	assert_int_equal(lifetime_width(UINT32_MAX), 1U << 29);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lifetime_class_ages_up_to_31_are_their_own),
		cmocka_unit_test(test_lifetime_class_older_ages_double),
		cmocka_unit_test(test_lifetime_death_is_counted_by_age_and_by_time),
		cmocka_unit_test(test_lifetime_ages_go_by_cycles_and_buckets_by_ticks),
		cmocka_unit_test(test_lifetime_birth_after_death_is_age_0),
		cmocka_unit_test(test_lifetime_advance_width_doubles_when_buckets_are_full),
		cmocka_unit_test(test_lifetime_folding_keeps_every_count),
		cmocka_unit_test(test_lifetime_revive_takes_the_death_back),
		cmocka_unit_test(test_lifetime_revive_after_a_fold_finds_the_death),
		cmocka_unit_test(test_lifetime_revive_without_a_death_changes_nothing),
		cmocka_unit_test(test_lifetime_reopen_takes_ends_back),
		cmocka_unit_test(test_lifetime_full_count_stays_full),
		cmocka_unit_test(test_lifetime_add_sums_two_records),
		cmocka_unit_test(test_lifetime_width_is_that_of_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
