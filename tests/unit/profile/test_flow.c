/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow.c: each of its conditions by itself, on records made by hand; test_verdict_rate.c has them together. After 40 ticks
 * a bucket is four, and old is who was born four whole buckets ago or more. Those count who were born in buckets 3 to 5
 * and enter in 7 to 9; the last third is from bucket 6 on.
 */
#include "judgement.h"

#define NOW 40

static struct flow_trend conclude(const struct lifetime *lifetime, u32 now)
{
	struct flow flow = {0};
	struct flow_trend trend;

	flow_add(&flow, lifetime, 1, now);
	flow_conclude(&flow, now, &trend);
	return trend;
}

static void bear(struct lifetime *lifetime, u32 from, u32 end, u32 count)
{
	for (u32 tick = from; tick < end; tick++)
		for (u32 i = 0; i < count; i++)
			lifetime_birth(lifetime, tick);
}

static void kill_at(struct lifetime *lifetime, u32 from, u32 end, u32 count, u32 death)
{
	for (u32 tick = from; tick < end; tick++)
		for (u32 i = 0; i < count; i++)
			lifetime_death(lifetime, at(tick), at(death));
}

/* --- the old class: by a hand-computed example --- */

static void test_flow_who_lives_on_enters_and_who_dies_old_leaves(void **state)
{
	struct lifetime lifetime = {0};
	struct flow flow = {0};
	struct flow_trend trend;

	(void)state;
	bear(&lifetime, 0, NOW, 5);
	lifetime_death(&lifetime, at(12), at(12));
	lifetime_death(&lifetime, at(12), at(28));
	lifetime_death(&lifetime, at(23), at(36));
	lifetime_death(&lifetime, at(23), at(39)); /* of 60 born in time these do not enter: 56 in */
	lifetime_death(&lifetime, at(8), at(28));
	lifetime_death(&lifetime, at(12), at(32));
	lifetime_death(&lifetime, at(19), at(39)); /* out */
	lifetime_death(&lifetime, at(0), at(27));  /* before those count */
	lifetime_death(&lifetime, at(24), at(39)); /* never old */
	trend = conclude(&lifetime, NOW);
	assert_true(trend.net == 53 && trend.variance == 59);
	assert_int_equal(trend.first, 3);
	assert_int_equal(trend.end, 6);
	flow_add(&flow, &lifetime, 1, NOW);
	flow_add(&flow, &lifetime, 100, NOW);
	flow_conclude(&flow, NOW, &trend);
	assert_true(trend.net == 53 + 5300 && trend.variance == 59 + 590000);
}

static void test_flow_of_fewer_than_seven_ticks_is_nothing(void **state)
{
	(void)state;
	for (u32 now = 0; now < 7; now++) {
		struct lifetime lifetime = {0};
		struct flow_trend trend;

		bear(&lifetime, 0, now, 50);
		trend = conclude(&lifetime, now);
		assert_false(trend.stays && trend.net == 0);
	}
}

/* A site that has been quiet for long has buckets narrower than the process's; they are folded in a copy. */
static void test_flow_of_a_quiet_site_leaves_the_record_alone(void **state)
{
	struct lifetime lifetime = {0}, before;
	struct flow_trend trend;

	(void)state;
	bear(&lifetime, 0, 10, 5);
	before = lifetime;
	trend = conclude(&lifetime, 4000000000U);
	assert_memory_equal(&lifetime, &before, sizeof(before));
	assert_true(trend.variance == 0 && trend.old);
}

/* Ten in and none out is the least: 10 / sqrt(10) = 3.16, 9 / sqrt(9) = 3. */
static void test_flow_beyond_chance_begins_with_ten(void **state)
{
	struct lifetime lifetime = {0};

	(void)state;
	bear(&lifetime, 0, 1, 30);
	bear(&lifetime, 12, 15, 1);
	bear(&lifetime, 16, 19, 1);
	bear(&lifetime, 20, 23, 1);
	bear(&lifetime, 28, NOW, 1);
	assert_false(conclude(&lifetime, NOW).enters);
	lifetime_birth(&lifetime, 23);
	assert_true(conclude(&lifetime, NOW).stays);
	lifetime_death(&lifetime, at(0), at(28));
	assert_false(conclude(&lifetime, NOW).enters);
}

/* --- still --- */

/* What is born in the last third must be 0.6 of what is expected there: four buckets of 40. */
static void test_flow_that_slows_down_does_not_stay(void **state)
{
	struct lifetime lifetime = {0};
	struct flow_trend trend;

	(void)state;
	bear(&lifetime, 0, 24, 10);
	bear(&lifetime, 24, 40, 5);
	trend = conclude(&lifetime, NOW);
	assert_true(trend.enters && trend.rises && !trend.stays);
	bear(&lifetime, 24, 40, 1);
	assert_true(conclude(&lifetime, NOW).stays);
}

static void test_flow_that_has_ended_neither_stays_nor_rises(void **state)
{
	struct lifetime lifetime = {0};
	struct flow_trend trend;

	(void)state;
	bear(&lifetime, 0, 24, 10);
	trend = conclude(&lifetime, NOW);
	assert_true(trend.enters && trend.old && !trend.rises && !trend.stays);
}

/* All who count were born in the first half. */
static void test_flow_that_ended_early_is_not_revived_by_turnover(void **state)
{
	struct lifetime lifetime = {0};
	struct flow_trend trend;

	(void)state;
	bear(&lifetime, 0, 16, 10);
	bear(&lifetime, 24, 40, 7);
	trend = conclude(&lifetime, NOW);
	assert_true(trend.enters && trend.rises && !trend.stays);
}

static void test_flow_that_has_just_begun_rises(void **state)
{
	struct lifetime lifetime = {0};
	struct flow_trend trend;

	(void)state;
	bear(&lifetime, 30, NOW, 10);
	trend = conclude(&lifetime, NOW);
	assert_true(trend.rises && !trend.enters && !trend.old);
}

/* One step of 100 in each of buckets 1, 4 and 7: the last third has one, and 1.33 are expected; then none since 7. */
static void test_flow_in_steps_stays(void **state)
{
	struct lifetime lifetime = {0};

	(void)state;
	bear(&lifetime, 4, 5, 100);
	bear(&lifetime, 16, 17, 100);
	bear(&lifetime, 28, 29, 100);
	assert_true(conclude(&lifetime, NOW).stays);
}

/* Looked at in a trough: what was born in ticks 21 to 37 has died at once, and so had those before, 17 ticks earlier. */
static void test_flow_beside_a_sawtooth_stays(void **state)
{
	struct lifetime lifetime = {0};

	(void)state;
	bear(&lifetime, 0, NOW, 15);
	kill_at(&lifetime, 0, 4, 10, 4);
	kill_at(&lifetime, 4, 16, 10, 16);
	kill_at(&lifetime, 16, 28, 10, 28);
	kill_at(&lifetime, 28, 39, 10, 39);
	assert_true(conclude(&lifetime, NOW).stays);
}

/* --- for good --- */

/* Most live for 32 ticks, and no one dies in middle age; until then it looks as a leak does. */
static void test_flow_of_old_who_die_does_not_stay(void **state)
{
	struct lifetime lifetime = {0};
	struct flow_trend trend;

	(void)state;
	bear(&lifetime, 0, NOW, 10);
	assert_true(conclude(&lifetime, NOW).stays);
	for (u32 birth = 0; birth < 8; birth++)
		kill_at(&lifetime, birth, birth + 1, 6, birth + 32);
	trend = conclude(&lifetime, NOW);
	assert_true(trend.enters && !trend.stays);
}

/* Beside those who stay others die in middle age, and some of them old: fewer than half as readily. */
static void test_flow_beside_turnover_stays(void **state)
{
	struct lifetime lifetime = {0};

	(void)state;
	bear(&lifetime, 0, NOW, 40);
	for (u32 birth = 0; birth + 8 < NOW; birth++)
		kill_at(&lifetime, birth, birth + 1, 20, birth + 8);
	for (u32 birth = 0; birth + 20 < NOW; birth += 2)
		kill_at(&lifetime, birth, birth + 1, 3, birth + 20);
	assert_true(conclude(&lifetime, NOW).stays);
}

/* --- several --- */

/* Two sites of a line together: what one frees for good the other keeps. */
static void test_flow_of_two_sites_is_their_sum(void **state)
{
	struct lifetime grows = {0}, shrinks = {0};
	struct flow flow = {0};
	struct flow_trend trend;

	(void)state;
	bear(&grows, 12, NOW, 10);
	bear(&shrinks, 0, 1, 160);
	for (u32 i = 0; i < 160; i++)
		lifetime_death(&shrinks, at(0), at(28 + i % 12));
	assert_true(conclude(&grows, NOW).stays);
	assert_true(conclude(&shrinks, NOW).net < 0);
	flow_add(&flow, &grows, 64, NOW);
	flow_add(&flow, &shrinks, 64, NOW);
	flow_conclude(&flow, NOW, &trend);
	assert_false(trend.enters);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flow_who_lives_on_enters_and_who_dies_old_leaves),
		cmocka_unit_test(test_flow_of_fewer_than_seven_ticks_is_nothing),
		cmocka_unit_test(test_flow_of_a_quiet_site_leaves_the_record_alone),
		cmocka_unit_test(test_flow_beyond_chance_begins_with_ten),
		cmocka_unit_test(test_flow_that_slows_down_does_not_stay),
		cmocka_unit_test(test_flow_that_has_ended_neither_stays_nor_rises),
		cmocka_unit_test(test_flow_that_ended_early_is_not_revived_by_turnover),
		cmocka_unit_test(test_flow_that_has_just_begun_rises),
		cmocka_unit_test(test_flow_in_steps_stays),
		cmocka_unit_test(test_flow_beside_a_sawtooth_stays),
		cmocka_unit_test(test_flow_of_old_who_die_does_not_stay),
		cmocka_unit_test(test_flow_beside_turnover_stays),
		cmocka_unit_test(test_flow_of_two_sites_is_their_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
