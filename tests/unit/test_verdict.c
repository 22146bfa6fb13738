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

static void tell_time(u64 clock[LIFETIME_BUCKETS], u32 cycles, u64 step)
{
	for (u32 bucket = 0; bucket < LIFETIME_BUCKETS; bucket++)
		clock[bucket] = 500 + step * bucket * lifetime_width(cycles);
}

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

/* --- error rates --------------------------------------------------------------------------------------------------- */

#define FOREVER 1e9
#define LIVE	200.0 /* about */
#define CYCLES	60
#define LONGEST 240
#define OBJECTS 16384 /* more than 240 * 42 by far more than chance can add */

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
	u64 chance;
	double phase; /* of the sawtooth */
	u32 count;
	struct object {
		u32 birth, death;
	} objects[OBJECTS];
};

static void live(struct site *site, double birth, double life)
{
	assert_true(site->count < OBJECTS);
	site->objects[site->count++] = (struct object){(u32)birth, (u32)fmin(birth + life, UINT32_MAX)};
}

/* What is known of the site after so many cycles. */
static void look_at(const struct site *site, u32 cycles, struct lifetime *ret_lifetime)
{
	*ret_lifetime = (struct lifetime){0};
	for (const struct object *object = site->objects; object < site->objects + site->count; object++) {
		if (object->birth >= cycles)
			continue;
		lifetime_birth(ret_lifetime, object->birth);
		if (object->death < cycles)
			lifetime_death(ret_lifetime, object->birth, object->death);
		else
			lifetime_end(ret_lifetime, object->birth, cycles);
	}
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
		return 0.01 * site->count; /* none of which dies */
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

static void simulate(struct site *site, enum law law, u64 seed, u32 cycles)
{
	site->chance = seed;
	site->count = 0;
	site->phase = 13 * chance_uniform(&site->chance);
	for (u32 i = 0; law == LEAK && i < LIVE; i++)
		live(site, 0, FOREVER);
	for (u32 cycle = 0; cycle < cycles; cycle++)
		for (u32 count = chance_poisson(&site->chance, births(site, law, cycle)); count > 0; count--) {
			double birth = cycle + chance_uniform(&site->chance);

			live(site, birth, life(site, law, birth));
		}
}

static struct site simulated;

/* Seeds law * 1000 + 1 to law * 1000 + 1000. */
static void count_verdicts(enum law law, u32 counts[VERDICT_MIXED + 1])
{
	memset(counts, 0, (VERDICT_MIXED + 1) * sizeof(*counts));
	for (u64 seed = 1; seed <= 1000; seed++) {
		struct lifetime lifetime;

		simulate(&simulated, law, law * 1000 + seed, CYCLES);
		look_at(&simulated, CYCLES, &lifetime);
		counts[judge(&lifetime, CYCLES)]++;
	}
	printf("%s:", law_names[law]);
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

/* Lengths of recordings: each one while the buckets are few cycles wide, then every eighth. */
static u32 next_length(u32 cycles)
{
	return cycles < 80 ? cycles + 1 : cycles + 8;
}

/* growing[cycles] is how many of 400 sites are called growing after so many; the same 400, looked at again and again. */
static void count_growing(enum law law, u32 growing[LONGEST + 1])
{
	memset(growing, 0, (LONGEST + 1) * sizeof(*growing));
	for (u64 seed = 1; seed <= 400; seed++) {
		simulate(&simulated, law, law * 1000 + seed, LONGEST);
		for (u32 cycles = 12; cycles <= LONGEST; cycles = next_length(cycles)) {
			struct lifetime lifetime;

			look_at(&simulated, cycles, &lifetime);
			growing[cycles] += judge(&lifetime, cycles) == VERDICT_GROWING;
		}
	}
	printf("%s, percent growing:", law_names[law]);
	for (u32 cycles = 36; cycles <= 64; cycles += 4)
		printf(" %.1f after %u,", growing[cycles] / 4., cycles);
	printf(" %.1f after %d\n", growing[LONGEST] / 4., LONGEST);
}

/* However short or long the recording: at most 1 % false alarms. */
static void test_verdict_without_a_leak_is_seldom_growing_at_any_length(void **state)
{
	u32 growing[LONGEST + 1];

	(void)state;
	for (enum law law = TURNOVER; law <= SAWTOOTH; law++) {
		count_growing(law, growing);
		for (u32 cycles = 12; cycles <= LONGEST; cycles = next_length(cycles))
			assert_true(growing[cycles] <= 4);
	}
}

/* From 40 cycles on, and beside turnover from 52. */
static void test_verdict_with_a_leak_is_growing_as_soon_as_can_be(void **state)
{
	u32 growing[LONGEST + 1];

	(void)state;
	for (enum law law = LEAK; law <= LEAK_BESIDE_TURNOVER; law++) {
		count_growing(law, growing);
		for (u32 cycles = law == LEAK ? 40 : 52; cycles <= LONGEST; cycles = next_length(cycles))
			assert_true(growing[cycles] >= 380);
	}
}

/* Of 1000 sites that keep 2 objects of 100 bytes a cycle, 10 units of time long: the mean, within five of its errors. */
static void test_growth_of_1000_leaks_is_theirs(void **state)
{
	u64 clock[LIFETIME_BUCKETS];
	double sum = 0, variance = 0;

	(void)state;
	tell_time(clock, CYCLES, 10);
	for (u64 seed = 1; seed <= 1000; seed++) {
		struct lifetime lifetime;
		struct flow flow = {0};
		double error;

		simulate(&simulated, LEAK_BESIDE_TURNOVER, seed, CYCLES);
		look_at(&simulated, CYCLES, &lifetime);
		flow_add(&flow, &lifetime, 100, CYCLES);
		sum += verdict_growth(&flow, clock, CYCLES, &error);
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
		cmocka_unit_test(test_flow_before_40_cycles_is_nothing),
		cmocka_unit_test(test_flow_of_a_quiet_site_leaves_the_record_alone),
		cmocka_unit_test(test_verdict_growing_begins_beyond_chance),
		cmocka_unit_test(test_verdict_growth_that_has_ended_is_steady),
		cmocka_unit_test(test_verdict_of_two_sites_adds_their_flows),
		cmocka_unit_test(test_growth_is_net_inflow_by_time),
		cmocka_unit_test(test_growth_without_time_is_0),
		cmocka_unit_test(test_verdict_of_1000_sites_without_a_leak_is_growing_for_10_at_most),
		cmocka_unit_test(test_verdict_of_1000_sites_with_a_leak_is_growing_for_950_at_least),
		cmocka_unit_test(test_verdict_without_a_leak_is_seldom_growing_at_any_length),
		cmocka_unit_test(test_verdict_with_a_leak_is_growing_as_soon_as_can_be),
		cmocka_unit_test(test_growth_of_1000_leaks_is_theirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
