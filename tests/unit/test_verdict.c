/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict.c: each word where it belongs and at its border, growth by a hand-computed example, and error rates over
 * simulated sites. All seeds are fixed, so nothing here is left to chance.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../user/verdict.h"
#include "chance.h"

#define TENURE 2

static enum verdict judge(const struct lifetime *lifetime, u32 now)
{
	struct survival survival = {0};
	struct flow flow = {0};

	survival_add(&survival, lifetime, 1);
	flow_add(&flow, lifetime, 1, now);
	return verdict_of(&survival, &flow, TENURE);
}

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
 * After 12 cycles a bucket is a cycle, and old is who was born three whole cycles ago or more. The half: born in cycles 3
 * to 8 and alive when 6 to 11 end enters; born before that, and so old already, and dead in cycles 6 to 11 leaves. The
 * quarter: born in 6 to 8, dead in 9 to 11.
 */
static void test_flow_who_lives_on_enters_and_who_dies_old_leaves(void **state)
{
	struct lifetime lifetime = {0};
	struct flow flow = {0};

	(void)state;
	for (u32 cycle = 0; cycle < 12; cycle++)
		for (u32 i = 0; i < 5; i++)
			lifetime_birth(&lifetime, cycle);
	lifetime_death(&lifetime, 3, 3);
	lifetime_death(&lifetime, 3, 6);
	lifetime_death(&lifetime, 8, 10);
	lifetime_death(&lifetime, 8,
		       11); /* of 30 born in cycles 3 to 8 these do not enter: 26 in, 13 of the last three */
	lifetime_death(&lifetime, 2, 6);
	lifetime_death(&lifetime, 3, 7);
	lifetime_death(&lifetime, 7, 11); /* out, one of them in the quarter */
	lifetime_death(&lifetime, 0, 5);  /* before the half */
	lifetime_death(&lifetime, 9, 11); /* never old */
	flow_add(&flow, &lifetime, 1, 12);
	assert_true(flow.half.net == 23 && flow.half.variance == 29);
	assert_true(flow.quarter.net == 12 && flow.quarter.variance == 14);
	flow_add(&flow, &lifetime, 100, 12);
	assert_true(flow.half.net == 23 + 2300 && flow.half.variance == 29 + 290000);
}

static void test_flow_before_12_cycles_is_nothing(void **state)
{
	struct lifetime lifetime = {0};
	struct flow flow = {0};

	(void)state;
	for (u32 cycle = 0; cycle < 11; cycle++)
		for (u32 i = 0; i < 50; i++)
			lifetime_birth(&lifetime, cycle);
	flow_add(&flow, &lifetime, 1, 11);
	assert_true(flow.half.variance == 0 && flow.quarter.variance == 0);
	flow_add(&flow, &lifetime, 1, 12);
	assert_true(flow.half.net == 300 && flow.quarter.net == 150);
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
	assert_true(flow.half.variance == 0);
}

/* Seven in and none out is the least: 7 / sqrt(7) = 2.65, 6 / sqrt(6) = 2.45. */
static void test_verdict_growing_begins_beyond_chance(void **state)
{
	struct lifetime lifetime = {0};

	(void)state;
	for (u32 i = 0; i < 30; i++) {
		lifetime_birth(&lifetime, 0);
		lifetime_end(&lifetime, 0, 12);
	}
	for (u32 in = 1; in <= 7; in++) {
		assert_int_equal(judge(&lifetime, 12), VERDICT_STEADY);
		lifetime_birth(&lifetime, 7);
		lifetime_end(&lifetime, 7, 12);
	}
	assert_int_equal(judge(&lifetime, 12), VERDICT_GROWING);
	lifetime_death(&lifetime, 0, 6);
	assert_int_equal(judge(&lifetime, 12), VERDICT_STEADY);
}

/* After 60 cycles buckets of 8: the half is buckets 4 to 6, the quarter 5 and 6. Grown, but not any more: 1 / sqrt(1) is not enough. */
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
		lifetime_birth(&grows, 5 + i % 4);
		lifetime_end(&grows, 5 + i % 4, 12);
		lifetime_birth(&shrinks, 0);
		lifetime_death(&shrinks, 0, 8 + i % 4);
	}
	assert_int_equal(judge(&grows, 12), VERDICT_GROWING);
	assert_int_equal(judge(&shrinks, 12), VERDICT_STEADY);
	survival_add(&survival, &grows, 1);
	survival_add(&survival, &shrinks, 1);
	flow_add(&flow, &grows, 64, 12);
	flow_add(&flow, &shrinks, 64, 12);
	assert_int_equal(verdict_of(&survival, &flow, TENURE), VERDICT_STEADY);
}

/* --- how fast, how long -------------------------------------------------------------------------------------------- */

/* The half of the example above is cycles 6 to 11; ten units of time each. */
static void test_growth_is_net_inflow_by_time(void **state)
{
	struct flow flow = {.half = {.net = 1300, .variance = 190000}};
	struct lifetime_clock clock = {0};
	double error;

	(void)state;
	for (u32 cycle = 0; cycle <= 12; cycle++)
		lifetime_tick(&clock, cycle, 500 + 10ULL * cycle);
	assert_true(verdict_growth(&flow, &clock, 12, &error) == 1300. / 60);
	assert_true(error == sqrt(190000) / 60);
}

static void test_growth_without_time_is_0(void **state)
{
	struct flow flow = {.half = {.net = 1300, .variance = 190000}};
	struct lifetime_clock clock = {0};
	double error = 1;

	(void)state;
	assert_true(verdict_growth(&flow, &clock, 12, &error) == 0 && error == 0);
	for (u32 cycle = 0; cycle <= 12; cycle++)
		lifetime_tick(&clock, cycle, 500);
	assert_true(verdict_growth(&flow, &clock, 12, &error) == 0 && error == 0);
	assert_true(verdict_growth(&flow, &clock, 11, &error) == 0 && error == 0);
	assert_true(verdict_growth(&flow, &clock, UINT32_MAX, &error) == 0 && error == 0);
}

static void test_time_left_is_room_by_growth(void **state)
{
	(void)state;
	assert_true(verdict_time_left(32, 1000, 1640) == 20);
	assert_true(verdict_time_left(32, 1640, 1640) == 0);
	assert_true(verdict_time_left(0, 1000, 1640) == INFINITY);
	assert_true(verdict_time_left(-5, 1000, 1640) == INFINITY);
}

/* --- error rates --------------------------------------------------------------------------------------------------- */

#define FOREVER 1e9
#define LIVE	200.0 /* about */
#define CYCLES	60

enum law {
	TRANSIENT,
	TURNOVER,
	CACHE,
	SAWTOOTH,
	LEAK,
	LEAK_BESIDE_TURNOVER,
	LAW_COUNT
};

static const char *const law_names[LAW_COUNT] = {"transient",
						 "turnover of mean life 5",
						 "cache filled in 15 cycles",
						 "sawtooth of 13 cycles",
						 "leak of 1 % a cycle",
						 "leak of 1 % a cycle beside turnover of 20 times as many"};

struct site {
	struct lifetime lifetime;
	u64 chance;
	double phase; /* of the sawtooth */
	u32 alive;
};

static void live(struct site *site, double birth, double life)
{
	lifetime_birth(&site->lifetime, (u32)birth);
	if (birth + life < CYCLES) {
		lifetime_death(&site->lifetime, (u32)birth, (u32)(birth + life));
		return;
	}
	lifetime_end(&site->lifetime, (u32)birth, CYCLES);
	site->alive++;
}

static double until_next_drop(const struct site *site, double time)
{
	return site->phase + 13 * ceil((time - site->phase) / 13) - time;
}

/* Objects born in a cycle. A leak's is 1 % of what the site holds then; beside turnover it is one in 21. */
static double births(const struct site *site, enum law law, u32 cycle)
{
	switch (law) {
	case TRANSIENT:
		return LIVE;
	case TURNOVER:
		return LIVE / 5;
	case CACHE:
		return cycle < 15 ? LIVE / 15 : 0;
	case SAWTOOTH:
		return LIVE / 13 * 2;
	case LEAK:
		return 0.01 * site->alive;
	default:
		return LIVE / 5 + 0.01 * LIVE;
	}
}

static double life(struct site *site, enum law law, double birth)
{
	switch (law) {
	case TRANSIENT:
		return chance_exponential(&site->chance, 0.02);
	case TURNOVER:
		return chance_exponential(&site->chance, 5);
	case SAWTOOTH:
		return until_next_drop(site, birth);
	case LEAK_BESIDE_TURNOVER:
		return chance_uniform(&site->chance) < 1. / 21 ? FOREVER : chance_exponential(&site->chance, 5);
	default:
		return FOREVER;
	}
}

static void simulate(struct site *site, enum law law, u64 seed)
{
	*site = (struct site){.chance = seed};
	site->phase = 13 * chance_uniform(&site->chance);
	for (u32 i = 0; law == LEAK && i < LIVE; i++)
		live(site, 0, FOREVER);
	for (u32 cycle = 0; cycle < CYCLES; cycle++)
		for (u32 count = chance_poisson(&site->chance, births(site, law, cycle)); count > 0; count--) {
			double birth = cycle + chance_uniform(&site->chance);

			live(site, birth, life(site, law, birth));
		}
}

/* Seeds law * 1000 + 1 to law * 1000 + 1000. */
static void count_verdicts(enum law law, u32 counts[VERDICT_MIXED + 1])
{
	u64 alive = 0;

	memset(counts, 0, (VERDICT_MIXED + 1) * sizeof(*counts));
	for (u64 seed = 1; seed <= 1000; seed++) {
		struct site site;

		simulate(&site, law, law * 1000 + seed);
		counts[judge(&site.lifetime, CYCLES)]++;
		alive += site.alive;
	}
	printf("%s (%u live at the end):", law_names[law], (u32)(alive / 1000));
	for (enum verdict verdict = VERDICT_UNKNOWN; verdict <= VERDICT_MIXED; verdict++)
		printf(" %u %s", counts[verdict], verdict_name(verdict));
	printf("\n");
}

static void test_verdict_of_1000_sites_without_a_leak_is_growing_for_10_at_most(void **state)
{
	static const enum verdict right[] = {[TRANSIENT] = VERDICT_TRANSIENT,
					     [TURNOVER] = VERDICT_STEADY,
					     [CACHE] = VERDICT_STEADY,
					     [SAWTOOTH] = VERDICT_STEADY};
	u32 counts[VERDICT_MIXED + 1];

	(void)state;
	for (enum law law = TRANSIENT; law <= SAWTOOTH; law++) {
		count_verdicts(law, counts);
		assert_true(counts[VERDICT_GROWING] <= 10);
		assert_true(counts[right[law]] >= 950);
	}
}

static void test_verdict_of_1000_sites_with_a_leak_is_growing_for_950_at_least(void **state)
{
	u32 counts[VERDICT_MIXED + 1];

	(void)state;
	for (enum law law = LEAK; law <= LEAK_BESIDE_TURNOVER; law++) {
		count_verdicts(law, counts);
		assert_true(counts[VERDICT_GROWING] >= 950);
	}
}

/* Of 1000 sites that keep 2 objects of 100 bytes a cycle, 10 units of time long: the mean, within five of its errors. */
static void test_growth_of_1000_leaks_is_theirs(void **state)
{
	struct lifetime_clock clock = {0};
	double sum = 0, variance = 0;

	(void)state;
	for (u32 cycle = 0; cycle <= CYCLES; cycle++)
		lifetime_tick(&clock, cycle, 10ULL * cycle);
	for (u64 seed = 1; seed <= 1000; seed++) {
		struct flow flow = {0};
		struct site site;
		double error;

		simulate(&site, LEAK_BESIDE_TURNOVER, seed);
		flow_add(&flow, &site.lifetime, 100, CYCLES);
		sum += verdict_growth(&flow, &clock, CYCLES, &error);
		variance += error * error;
	}
	printf("growth %.2f of 20, standard error of a site's %.2f\n", sum / 1000, sqrt(variance / 1000));
	assert_true(fabs(sum / 1000 - 20) < 5 * sqrt(variance) / 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdict_below_20_samples_is_unknown),
		cmocka_unit_test(test_verdict_transient_needs_59_samples),
		cmocka_unit_test(test_verdict_tenured_is_steady_and_else_mixed),
		cmocka_unit_test(test_verdict_name_each_has_one),
		cmocka_unit_test(test_flow_who_lives_on_enters_and_who_dies_old_leaves),
		cmocka_unit_test(test_flow_before_12_cycles_is_nothing),
		cmocka_unit_test(test_flow_of_a_quiet_site_leaves_the_record_alone),
		cmocka_unit_test(test_verdict_growing_begins_beyond_chance),
		cmocka_unit_test(test_verdict_growth_that_has_ended_is_steady),
		cmocka_unit_test(test_verdict_of_two_sites_adds_their_flows),
		cmocka_unit_test(test_growth_is_net_inflow_by_time),
		cmocka_unit_test(test_growth_without_time_is_0),
		cmocka_unit_test(test_time_left_is_room_by_growth),
		cmocka_unit_test(test_verdict_of_1000_sites_without_a_leak_is_growing_for_10_at_most),
		cmocka_unit_test(test_verdict_of_1000_sites_with_a_leak_is_growing_for_950_at_least),
		cmocka_unit_test(test_growth_of_1000_leaks_is_theirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
