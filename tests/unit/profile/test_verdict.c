/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verdict.c: each word where it belongs and at its border, and growth by a hand-computed example. */
#include "judgement.h"

#include <math.h>

/* --- the words ----------------------------------------------------------------------------------------------------- */

static enum verdict judge_counts(u32 died_young, u32 died_at_1, u32 tenured)
{
	struct lifetime lifetime = {.died = {died_young, died_at_1}, .ended = {[2] = tenured}};

	return judge(&lifetime, 60);
}

static void test_verdict_below_20_samples_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(judge_counts(19, 0, 0), VERDICT_UNKNOWN);
	assert_int_equal(judge_counts(0, 0, 19), VERDICT_UNKNOWN);
	assert_int_equal(judge_counts(0, 0, 20), VERDICT_STEADY);
}

/* 0.95^58 = 0.0510, 0.95^59 = 0.0485; with one survivor 93 are needed. */
static void test_verdict_transient_needs_59_samples(void **state)
{
	(void)state;
	assert_int_equal(judge_counts(58, 0, 0), VERDICT_MIXED);
	assert_int_equal(judge_counts(59, 0, 0), VERDICT_TRANSIENT);
	assert_int_equal(judge_counts(91, 1, 0), VERDICT_MIXED);
	assert_int_equal(judge_counts(92, 1, 0), VERDICT_TRANSIENT);
	assert_int_equal(judge_counts(92, 0, 1), VERDICT_TRANSIENT);
}

static void test_verdict_tenured_is_steady_and_else_mixed(void **state)
{
	(void)state;
	assert_int_equal(judge_counts(50, 50, 0), VERDICT_MIXED);
	assert_int_equal(judge_counts(50, 50, 1), VERDICT_STEADY);
}

static void test_verdict_name_each_has_one(void **state)
{
	(void)state;
	assert_string_equal(verdict_name(VERDICT_UNKNOWN), "unknown");
	assert_string_equal(verdict_name(VERDICT_TRANSIENT), "transient");
	assert_string_equal(verdict_name(VERDICT_GROWING), "growing");
	assert_string_equal(verdict_name(VERDICT_STEADY), "steady");
	assert_string_equal(verdict_name(VERDICT_MIXED), "mixed");
}

/* --- the old class ------------------------------------------------------------------------------------------------- */

/*
 * After 40 cycles a bucket is four cycles, and old is who was born four whole buckets ago or more. The whole: born in
 * buckets 3 to 5 (cycles 12 to 23) and alive when 7 to 9 (28 to 39) end enters; born before that, and so old already,
 * and dead in buckets 7 to 9 leaves. Late: born in 4 and 5, dead in 8 and 9.
 */
static void test_flow_who_lives_on_enters_and_who_dies_old_leaves(void **state)
{
	struct lifetime lifetime = {0};
	struct flow flow = {0};

	(void)state;
	for (u32 cycle = 0; cycle < 40; cycle++)
		for (u32 i = 0; i < 5; i++)
			lifetime_birth(&lifetime, cycle);
	lifetime_death(&lifetime, 12, 12);
	lifetime_death(&lifetime, 12, 28);
	lifetime_death(&lifetime, 23, 36);
	lifetime_death(&lifetime, 23, 39); /* of 60 born in time these do not enter: 56 in, 38 of them late */
	lifetime_death(&lifetime, 8, 28);
	lifetime_death(&lifetime, 12, 32);
	lifetime_death(&lifetime, 19, 39); /* out, two of them late */
	lifetime_death(&lifetime, 0, 27);  /* before the whole */
	lifetime_death(&lifetime, 24, 39); /* never old */
	flow_add(&flow, &lifetime, 1, 40);
	assert_true(flow.whole.net == 53 && flow.whole.variance == 59);
	assert_true(flow.late.net == 36 && flow.late.variance == 40);
	flow_add(&flow, &lifetime, 100, 40);
	assert_true(flow.whole.net == 53 + 5300 && flow.whole.variance == 59 + 590000);
}

static void test_flow_before_40_cycles_is_nothing(void **state)
{
	struct lifetime lifetime = {0};
	struct flow flow = {0};

	(void)state;
	for (u32 cycle = 0; cycle < 39; cycle++)
		for (u32 i = 0; i < 50; i++)
			lifetime_birth(&lifetime, cycle);
	flow_add(&flow, &lifetime, 1, 39);
	assert_true(flow.whole.variance == 0 && flow.late.variance == 0);
	flow_add(&flow, &lifetime, 1, 40);
	assert_true(flow.whole.net == 600 && flow.late.net == 400);
}

/* A site that has been quiet for long has buckets narrower than the process's; they are folded in a copy. */
static void test_flow_of_a_quiet_site_leaves_the_record_alone(void **state)
{
	struct lifetime lifetime = {0}, before;
	struct flow flow = {0};

	(void)state;
	for (u32 i = 0; i < 50; i++)
		lifetime_birth(&lifetime, i % 10);
	before = lifetime;
	flow_add(&flow, &lifetime, 1, 4000000000U);
	assert_memory_equal(&lifetime, &before, sizeof(before));
	assert_true(flow.whole.variance == 0);
}

/* Seven in and none out is the least: 7 / sqrt(7) = 2.65, 6 / sqrt(6) = 2.45. */
static void test_verdict_growing_begins_beyond_chance(void **state)
{
	struct lifetime lifetime = {0};

	(void)state;
	for (u32 i = 0; i < 30; i++) {
		lifetime_birth(&lifetime, 0);
		lifetime_end(&lifetime, 0, 40);
	}
	for (u32 in = 1; in <= 7; in++) {
		assert_int_equal(judge(&lifetime, 40), VERDICT_STEADY);
		lifetime_birth(&lifetime, 18);
		lifetime_end(&lifetime, 18, 40);
	}
	assert_int_equal(judge(&lifetime, 40), VERDICT_GROWING);
	lifetime_death(&lifetime, 0, 28);
	assert_int_equal(judge(&lifetime, 40), VERDICT_STEADY);
}

/* After 60 cycles buckets of 8: the whole is buckets 5 and 6, late 6. Grown, but not any more: 1 / sqrt(1) is not enough. */
static void test_verdict_growth_that_has_ended_is_steady(void **state)
{
	struct lifetime lifetime = {0};

	(void)state;
	for (u32 i = 0; i < 40; i++) {
		lifetime_birth(&lifetime, 16 + i % 8);
		lifetime_end(&lifetime, 16 + i % 8, 60);
	}
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(judge(&lifetime, 60), VERDICT_STEADY);
		lifetime_birth(&lifetime, 24);
		lifetime_end(&lifetime, 24, 60);
	}
	assert_int_equal(judge(&lifetime, 60), VERDICT_GROWING);
}

/* Two sites of a line together: what one frees for good the other keeps. */
static void test_verdict_of_two_sites_adds_their_flows(void **state)
{
	struct lifetime grows = {0}, shrinks = {0};
	struct survival survival = {0};
	struct flow flow = {0};

	(void)state;
	for (u32 i = 0; i < 40; i++) {
		lifetime_birth(&grows, 16 + i % 8);
		lifetime_end(&grows, 16 + i % 8, 40);
		lifetime_birth(&shrinks, 0);
		lifetime_death(&shrinks, 0, 32 + i % 8);
	}
	assert_int_equal(judge(&grows, 40), VERDICT_GROWING);
	assert_int_equal(judge(&shrinks, 40), VERDICT_STEADY);
	survival_add(&survival, &grows, 1);
	survival_add(&survival, &shrinks, 1);
	flow_add(&flow, &grows, 64, 40);
	flow_add(&flow, &shrinks, 64, 40);
	assert_int_equal(verdict_of(&survival, &flow, TENURE), VERDICT_STEADY);
}

/* --- how fast, how long -------------------------------------------------------------------------------------------- */

/* Who entered in the example above was born in cycles 12 to 23; ten units of time each. */
static void test_growth_is_net_inflow_by_time(void **state)
{
	struct flow flow = {.whole = {.net = 1300, .variance = 190000}};
	u64 clock[LIFETIME_BUCKETS];
	double error;

	(void)state;
	tell_time(clock, 40, 10);
	assert_true(verdict_growth(&flow, clock, 40, &error) == 1300. / 120);
	assert_true(error == sqrt(190000) / 120);
}

static void test_growth_without_time_is_0(void **state)
{
	struct flow flow = {.whole = {.net = 1300, .variance = 190000}};
	u64 clock[LIFETIME_BUCKETS];
	double error = 1;

	(void)state;
	tell_time(clock, 40, 0);
	assert_true(verdict_growth(&flow, clock, 40, &error) == 0 && error == 0);
	assert_true(verdict_growth(&flow, clock, UINT32_MAX, &error) == 0 && error == 0);
	tell_time(clock, 39, 10);
	for (u32 now = 0; now < 40; now++)
		assert_true(verdict_growth(&flow, clock, now, &error) == 0 && error == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdict_below_20_samples_is_unknown),
		cmocka_unit_test(test_verdict_transient_needs_59_samples),
		cmocka_unit_test(test_verdict_tenured_is_steady_and_else_mixed),
		cmocka_unit_test(test_verdict_name_each_has_one),
		cmocka_unit_test(test_flow_who_lives_on_enters_and_who_dies_old_leaves),
		cmocka_unit_test(test_flow_before_40_cycles_is_nothing),
		cmocka_unit_test(test_flow_of_a_quiet_site_leaves_the_record_alone),
		cmocka_unit_test(test_verdict_growing_begins_beyond_chance),
		cmocka_unit_test(test_verdict_growth_that_has_ended_is_steady),
		cmocka_unit_test(test_verdict_of_two_sites_adds_their_flows),
		cmocka_unit_test(test_growth_is_net_inflow_by_time),
		cmocka_unit_test(test_growth_without_time_is_0),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
