/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict.c, flow.c: how often they err on sites of processes that have few cycles, by seconds: leaks that are most of what
 * is allocated, what fills and then stays, warm-up, oscillation. A sample stands for 512 KiB. All seeds are fixed, so nothing
 * here is left to chance. The tables it prints are those of docs/lifetimes.md.
 */
#include "judgement.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"

#define SITES	 200 /* of a law and a time */
#define FOREVER	 1e9
#define INTERVAL 524288.0

struct law {
	const char *name;
	double (*birth)(u64 *chance, const struct law *law, double length); /* of one object, uniform if NULL */
	double (*life)(u64 *chance, const struct law *law, double birth);   /* FOREVER if NULL */
	double scale;							    /* seconds: what it means is the law's */
	double churn; /* samples that die at once, in the same process, for each of the law's */
	double lost;  /* share of samples that never arrive */
};

/* The births of so many samples on average, over `length` seconds, seen after `seconds`. */
static void simulate(u64 seed, const struct law *law, double samples, double length, double seconds,
		     struct lifetime *ret_site)
{
	u64 chance = seed;

	*ret_site = (struct lifetime){0};
	for (u32 count = chance_poisson(&chance, samples); count > 0; count--) {
		double birth = law->birth ? law->birth(&chance, law, length) : length * chance_uniform(&chance);
		double death = birth + (law->life ? law->life(&chance, law, birth) : FOREVER);
		struct lifetime_time born = {0, (u32)birth};
		struct lifetime_time died = {2, (u32)fmin(death, seconds)};

		if (birth >= seconds || chance_uniform(&chance) < law->lost)
			continue;
		lifetime_birth(ret_site, born.tick);
		if (death < seconds)
			lifetime_death(ret_site, born, died);
		else
			lifetime_end(ret_site, 0, 2);
	}
}

static double die_at_once(u64 *chance, const struct law *law, double birth)
{
	(void)law, (void)birth;
	return chance_exponential(chance, 0.01);
}

/* The verdict on the site, or with `churn` on the process: it has few cycles, so seconds are its ticks. */
static enum verdict verdict_after(u64 seed, const struct law *law, double samples, double length, double seconds)
{
	static const struct law churn = {.life = die_at_once};
	struct survival survival = {0};
	struct flow flow = {0};
	struct flow_trend trend;
	struct lifetime site;
	u32 now = (u32)seconds;

	simulate(seed, law, samples, length, seconds, &site);
	survival_add(&survival, &site, 1);
	flow_add(&flow, &site, INTERVAL, now);
	if (law->churn > 0) {
		simulate(~seed, &churn, samples * law->churn, seconds, seconds, &site);
		flow_add(&flow, &site, INTERVAL, now);
	}
	flow_conclude(&flow, now, &trend);
	return verdict_of(&survival, &trend, now, TENURE);
}

/* Percent of SITES that have that verdict. */
static double percent(const struct law *law, double samples, double length, double seconds, enum verdict verdict)
{
	u32 count = 0;

	for (u64 seed = 1; seed <= SITES; seed++)
		count += verdict_after(seed * 1000003 + (u64)seconds, law, samples, length, seconds) == verdict;
	return 100. * count / SITES;
}

/* --- leaks --- */

static double in_steps(u64 *chance, const struct law *law, double length)
{
	double step = floor(length / law->scale * chance_uniform(chance));

	return (step + 0.7) * law->scale;
}

static double faster_and_faster(u64 *chance, const struct law *law, double length)
{
	(void)law;
	return length * sqrt(chance_uniform(chance));
}

/* e times as fast every fifth of the time. */
static double exponentially(u64 *chance, const struct law *law, double length)
{
	(void)law;
	return length * log1p(chance_uniform(chance) * expm1(5)) / 5;
}

static const struct law leaks[] = {
	{.name = "linear"},
	{.name = "linear, of 1 % of all"},
	{.name = "linear, 5 % of samples lost", .lost = 0.05},
	{.name = "in steps, one in 2 s", .birth = in_steps, .scale = 2},
	{.name = "in steps, one in 10 s", .birth = in_steps, .scale = 10},
	{.name = "in steps, one in 15 s", .birth = in_steps, .scale = 15},
	{.name = "accelerating", .birth = faster_and_faster},
	{.name = "exponential", .birth = exponentially},
};

/* Seconds until 60 have passed and 300 samples have been taken. */
static double seconds_needed(double bytes_per_second)
{
	return fmax(60, 300 * INTERVAL / bytes_per_second);
}

static void test_verdict_of_leaks_is_growing_within_60_s_or_300_samples(void **state)
{
	static const double rates[] = {10 << 10, 100 << 10, 1 << 20, 5 << 20, 10 << 20, 50 << 20};

	(void)state;
	printf("percent growing after 60 s and 300 samples, at 10 KiB/s, 100 KiB/s, 1, 5, 10, 50 MiB/s\n");
	for (const struct law *law = leaks; law < leaks + sizeof(leaks) / sizeof(*leaks); law++) {
		printf("%-30s", law->name);
		for (u32 i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
			double seconds = seconds_needed(rates[i]), samples = rates[i] * seconds / INTERVAL;
			double growing = percent(law, samples, seconds, seconds, VERDICT_GROWING);

			printf(" %5.1f", growing);
			assert_true(growing >= 95);
		}
		printf("\n");
	}
}

/* The process as a whole, where the rest of what it allocates dies at once. */
static void test_verdict_of_processes_that_leak_is_growing(void **state)
{
	static const double shares[] = {1, 0.1, 0.01};

	(void)state;
	printf("percent of processes growing after 60 s, 600 samples of a leak that is 100, 10, 1 %% of allocation\n");
	for (u32 i = 0; i < sizeof(shares) / sizeof(*shares); i++) {
		struct law law = {.churn = 1 / shares[i] - 1};
		double growing = percent(&law, 600, 60, 60, VERDICT_GROWING);

		printf(" %5.1f", growing);
		assert_true(growing >= 95);
	}
	printf("\n");
}

/* With fewer samples less is found, and hardly anything is called steady while it leaks. */
static void test_verdict_of_few_samples_of_a_leak(void **state)
{
	static const double samples[] = {25, 50, 100, 150, 200, 300};
	static const struct law law = {0};

	(void)state;
	printf("percent growing, too early, steady, transient after 60 s of a linear leak, by samples\n");
	for (u32 i = 0; i < sizeof(samples) / sizeof(*samples); i++)
		printf("%5.0f: %5.1f %5.1f %5.1f %5.1f\n", samples[i],
		       percent(&law, samples[i], 60, 60, VERDICT_GROWING),
		       percent(&law, samples[i], 60, 60, VERDICT_EARLY),
		       percent(&law, samples[i], 60, 60, VERDICT_STEADY),
		       percent(&law, samples[i], 60, 60, VERDICT_TRANSIENT));
	assert_true(percent(&law, 100, 60, 60, VERDICT_GROWING) >= 90);
	assert_true(percent(&law, 25, 60, 60, VERDICT_STEADY) <= 5);
}

static void test_verdict_before_40_s_is_too_early(void **state)
{
	static const struct law law = {0};

	(void)state;
	assert_true(percent(&law, 300, 39, 39, VERDICT_EARLY) == 100);
	assert_true(percent(&law, 300, 40, 40, VERDICT_GROWING) >= 95);
}

/* --- no leaks --- */

/* After so many seconds its objects are all there. */
static double until_full(u64 *chance, const struct law *law, double length)
{
	(void)length;
	return law->scale * chance_uniform(chance);
}

static double more_slowly(u64 *chance, const struct law *law, double length)
{
	(void)length;
	return chance_exponential(chance, law->scale);
}

static double until_dropped(u64 *chance, const struct law *law, double birth)
{
	(void)chance;
	return law->scale * (floor(birth / law->scale) + 1) - birth;
}

/* One in thirty is dropped in none of the periods, but one period later than all others, on average. */
static double until_dropped_or_kept(u64 *chance, const struct law *law, double birth)
{
	double late = chance_uniform(chance) < 1. / 30 ? chance_exponential(chance, law->scale) : 0;

	return until_dropped(chance, law, birth) + late;
}

/* A heap that warms up, with time constant `scale`, and young objects dropped every second. */
static double warm_or_young(u64 *chance, const struct law *law, double length)
{
	return chance_uniform(chance) < 0.3 ? chance_exponential(chance, law->scale) : length * chance_uniform(chance);
}

/* The births of warm_or_young cannot be told apart here, so both kinds are drawn anew: those that stay are as many. */
static double warm_or_dropped(u64 *chance, const struct law *law, double birth)
{
	double stays = 0.3 * exp(-birth / law->scale) / law->scale;

	return chance_uniform(chance) < stays / (stays + 0.7 / 1000) ? FOREVER : floor(birth) + 1 - birth;
}

static double mean_life(u64 *chance, const struct law *law, double birth)
{
	(void)birth;
	return chance_exponential(chance, law->scale);
}

static double bounded_life(u64 *chance, const struct law *law, double birth)
{
	(void)chance, (void)birth;
	return law->scale;
}

struct calm {
	struct law law;
	double samples, length;
	double from; /* seconds; from then on it must not be called growing */
};

static const struct calm calms[] = {
	{{.name = "cache that fills for 300 s", .birth = until_full, .scale = 300}, 600, 0, 420},
	{{.name = "the same, 100 samples", .birth = until_full, .scale = 300}, 100, 0, 420},
	{{.name = "start of 10 s", .birth = until_full, .scale = 10}, 600, 0, 40},
	{{.name = "warm-up, time constant 20 s", .birth = more_slowly, .scale = 20}, 600, 0, 60},
	{{.name = "the same, 100 samples", .birth = more_slowly, .scale = 20}, 100, 0, 90},
	{{.name = "warm-up of 20 s, young objects", .birth = warm_or_young, .life = warm_or_dropped, .scale = 20},
	 4000,
	 1000,
	 60},
	{{.name = "oscillation, period 1 s", .life = until_dropped_or_kept, .scale = 1}, 60000, 1000, 40},
	{{.name = "oscillation, period 5 s", .life = until_dropped_or_kept, .scale = 5}, 24000, 1000, 40},
	{{.name = "sawtooth, period 15 s", .life = until_dropped, .scale = 15}, 20000, 1000, 50},
	{{.name = "turnover, mean life 10 s", .life = mean_life, .scale = 10}, 20000, 1000, 60},
	{{.name = "turnover, mean life 60 s", .life = mean_life, .scale = 60}, 4000, 1000, 200},
	{{.name = "turnover, mean life 120 s", .life = mean_life, .scale = 120}, 4000, 1000, 200},
	{{.name = "turnover, every life 20 s", .life = bounded_life, .scale = 20}, 10000, 1000, 40},
};

static void test_verdict_of_what_does_not_leak_is_seldom_growing(void **state)
{
	static const double times[] = {40, 50, 60, 90, 120, 200, 300, 360, 390, 420, 500, 600, 900};

	(void)state;
	printf("percent growing by seconds\n%-31s", "");
	for (u32 i = 0; i < sizeof(times) / sizeof(*times); i++)
		printf(" %4.0f", times[i]);
	for (const struct calm *calm = calms; calm < calms + sizeof(calms) / sizeof(*calms); calm++) {
		printf("\n%-31s", calm->law.name);
		for (u32 i = 0; i < sizeof(times) / sizeof(*times); i++) {
			double growing = percent(&calm->law, calm->samples, calm->length, times[i], VERDICT_GROWING);

			printf(" %4.1f", growing);
			if (times[i] >= calm->from && growing > 1)
				fail_msg("%s: %.1f %% growing after %.0f s", calm->law.name, growing, times[i]);
		}
	}
	printf("\n");
}

/* Dies in the falling half of its period, or, one in 32, in a later one. */
static double until_the_tide_falls(u64 *chance, const struct law *law, double birth)
{
	double fall = law->scale / 2 * (1 + chance_uniform(chance)) - fmod(birth, law->scale);

	return chance_uniform(chance) < 1. / 32 ? fall + law->scale * ceil(chance_exponential(chance, 1)) : fall;
}

/* In the rising half of one of `length` seconds' periods. */
static double as_the_tide_rises(u64 *chance, const struct law *law, double length)
{
	double period = floor(length / law->scale * chance_uniform(chance));

	return law->scale * (period + chance_uniform(chance) / 2);
}

/*
 * From 160 MB to 5 GB and back, 200 times: 32 times as much as at the lowest. Looked at about every other period, each time at another moment of it, as soon
 * as there is a verdict; samples of a period are a thirtieth of what the default interval would take of so much.
 */
static void test_verdict_of_an_oscillation_is_never_growing(void **state)
{
	static const double periods[] = {1, 5, 15};

	(void)state;
	for (u32 i = 0; i < sizeof(periods) / sizeof(*periods); i++) {
		const struct law shapes[] = {
			{.birth = as_the_tide_rises, .life = until_the_tide_falls, .scale = periods[i]},
			{.life = until_dropped_or_kept, .scale = periods[i]},
		};
		double length = 200 * periods[i];
		u32 looks = 0;

		for (u32 shape = 0; shape < 2; shape++)
			for (double at = 40; at < length; at += periods[i] * 2.37, looks++)
				if (verdict_after((u64)at + shape, &shapes[shape], 200 * 300, length, at) ==
				    VERDICT_GROWING)
					fail_msg("growing after %.1f s of periods of %.0f s", at, periods[i]);
		printf("oscillation of %.0f s: %u looks\n", periods[i], looks);
		assert_true(looks > 100);
	}
}

/* A cache that is full, seen for long enough, has a verdict: it is not left open. */
static void test_verdict_of_a_full_cache_is_steady(void **state)
{
	(void)state;
	assert_true(percent(&calms[0].law, calms[0].samples, 0, 600, VERDICT_STEADY) >= 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdict_of_leaks_is_growing_within_60_s_or_300_samples),
		cmocka_unit_test(test_verdict_of_processes_that_leak_is_growing),
		cmocka_unit_test(test_verdict_of_few_samples_of_a_leak),
		cmocka_unit_test(test_verdict_before_40_s_is_too_early),
		cmocka_unit_test(test_verdict_of_what_does_not_leak_is_seldom_growing),
		cmocka_unit_test(test_verdict_of_an_oscillation_is_never_growing),
		cmocka_unit_test(test_verdict_of_a_full_cache_is_steady),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
