/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict.c, flow.c: how often they err, over simulated sites with and without a leak whose process has enough cycles; a
 * tick is one. test_verdict_time.c has those whose process has not. All seeds are fixed, so nothing here is left
 * to chance.
 */
#include "judgement.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "chance.h"

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
			lifetime_death(ret_lifetime, at(object->birth), at(object->death));
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
static void count_verdicts(enum law law, u32 counts[VERDICT_EARLY + 1])
{
	memset(counts, 0, (VERDICT_EARLY + 1) * sizeof(*counts));
	for (u64 seed = 1; seed <= 1000; seed++) {
		struct lifetime lifetime;

		simulate(&simulated, law, law * 1000 + seed, CYCLES);
		look_at(&simulated, CYCLES, &lifetime);
		counts[judge(&lifetime, CYCLES)]++;
	}
	printf("%s:", law_names[law]);
	for (enum verdict verdict = VERDICT_UNKNOWN; verdict <= VERDICT_EARLY; verdict++)
		printf(" %u %s", counts[verdict], verdict_name(verdict));
	printf("\n");
}

static void test_verdict_of_1000_sites_without_a_leak_is_growing_for_10_at_most(void **state)
{
	static const enum verdict right[] = {[TRANSIENT] = VERDICT_TRANSIENT,
					     [TURNOVER] = VERDICT_STEADY,
					     [CACHE] = VERDICT_STEADY,
					     [SAWTOOTH] = VERDICT_STEADY};
	u32 counts[VERDICT_EARLY + 1];

	(void)state;
	for (enum law law = TRANSIENT; law <= SAWTOOTH; law++) {
		count_verdicts(law, counts);
		assert_true(counts[VERDICT_GROWING] <= 10);
		assert_true(counts[right[law]] >= 950);
	}
}

static void test_verdict_of_1000_sites_with_a_leak_is_growing_for_950_at_least(void **state)
{
	u32 counts[VERDICT_EARLY + 1];

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

/* 1000 sites that keep 2 objects of 100 bytes a cycle, 10 units of time long: the mean, within five of its errors. */
static void test_growth_of_1000_leaks_is_theirs(void **state)
{
	u64 clock[LIFETIME_BUCKETS];
	double sum = 0, variance = 0;

	(void)state;
	tell_time(clock, CYCLES, 10);
	for (u64 seed = 1; seed <= 1000; seed++) {
		struct lifetime lifetime;
		struct flow flow = {0};
		struct flow_trend trend;
		double error;

		simulate(&simulated, LEAK_BESIDE_TURNOVER, seed, CYCLES);
		look_at(&simulated, CYCLES, &lifetime);
		flow_add(&flow, &lifetime, 100, CYCLES);
		flow_conclude(&flow, CYCLES, &trend);
		sum += verdict_growth(&trend, clock, &error);
		variance += error * error;
	}
	printf("growth %.2f of 20, standard error of a site's %.2f\n", sum / 1000, sqrt(variance / 1000));
	assert_true(fabs(sum / 1000 - 20) < 5 * sqrt(variance) / 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdict_of_1000_sites_without_a_leak_is_growing_for_10_at_most),
		cmocka_unit_test(test_verdict_of_1000_sites_with_a_leak_is_growing_for_950_at_least),
		cmocka_unit_test(test_verdict_without_a_leak_is_seldom_growing_at_any_length),
		cmocka_unit_test(test_verdict_with_a_leak_is_growing_as_soon_as_can_be),
		cmocka_unit_test(test_growth_of_1000_leaks_is_theirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
