/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verdict.c: each word where it belongs and at its border, and growth by a hand-computed example. test_flow.c has the trend. */
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
	assert_int_equal(judge_counts(58, 0, 0), VERDICT_UNKNOWN); /* none survived: not mixed, but not sure */
	assert_int_equal(judge_counts(59, 0, 0), VERDICT_TRANSIENT);
	assert_int_equal(judge_counts(91, 1, 0), VERDICT_MIXED);
	assert_int_equal(judge_counts(92, 1, 0), VERDICT_TRANSIENT);
	assert_int_equal(judge_counts(92, 0, 1), VERDICT_TRANSIENT);
}

/* 20 tiny objects stand for nearly all, so by weight there are 20 samples; by count there are 773, and none survived. */
static void test_verdict_of_many_samples_of_which_none_survives_is_transient(void **state)
{
	struct lifetime tiny = {.died = {20}}, large = {.died = {753}};
	struct survival survival = {0};

	(void)state;
	survival_add(&survival, &tiny, 10000);
	survival_add(&survival, &large, 1);
	assert_int_equal(verdict_of(&survival, &(struct flow_trend){0}, VERDICT_TICKS, TENURE), VERDICT_TRANSIENT);
	large.died[0] = 700;
	large.died[1] = 53;
	survival = (struct survival){0};
	survival_add(&survival, &tiny, 10000);
	survival_add(&survival, &large, 1);
	assert_int_equal(verdict_of(&survival, &(struct flow_trend){0}, VERDICT_TICKS, TENURE), VERDICT_MIXED);
}

/* What is not known yet is never called steady; what dies at once is known at once. */
static void test_verdict_before_it_is_due_is_too_early_or_transient(void **state)
{
	struct lifetime lives = {.ended = {[2] = 100}}, dies = {.died = {100}};
	const struct flow_trend growing = {.enters = true, .stays = true, .rises = true};
	struct survival survival = {0}, transient = {0};

	(void)state;
	survival_add(&survival, &lives, 1);
	survival_add(&transient, &dies, 1);
	assert_int_equal(verdict_of(&survival, &growing, VERDICT_TICKS - 1, TENURE), VERDICT_EARLY);
	assert_int_equal(verdict_of(&survival, &growing, VERDICT_TICKS, TENURE), VERDICT_GROWING);
	assert_int_equal(verdict_of(&transient, &growing, VERDICT_TICKS - 1, TENURE), VERDICT_TRANSIENT);
	assert_int_equal(verdict_of(&transient, &growing, VERDICT_TICKS, TENURE), VERDICT_GROWING);
}

static void test_verdict_of_a_level_that_rises_is_not_steady(void **state)
{
	struct lifetime lives = {.ended = {[2] = 100}};
	struct survival survival = {0};

	(void)state;
	survival_add(&survival, &lives, 1);
	assert_int_equal(verdict_of(&survival, &(struct flow_trend){.rises = true}, VERDICT_TICKS, TENURE),
			 VERDICT_EARLY);
	assert_int_equal(
		verdict_of(&survival, &(struct flow_trend){.rises = true, .enters = true}, VERDICT_TICKS, TENURE),
		VERDICT_FILLING);
	assert_int_equal(verdict_of(&survival, &(struct flow_trend){.enters = true}, VERDICT_TICKS, TENURE),
			 VERDICT_STEADY);
}

/* More than chance allows once in 35 times, and less than a leak is found by. */
static void test_verdict_of_what_may_grow_is_too_early(void **state)
{
	struct lifetime lives = {.ended = {[2] = 100}}, dies = {.died = {100}};
	const struct flow_trend doubtful = {.may_enter = true, .old = true};
	struct survival survival = {0}, transient = {0};

	(void)state;
	survival_add(&survival, &lives, 1);
	survival_add(&transient, &dies, 1);
	assert_int_equal(verdict_of(&survival, &doubtful, VERDICT_TICKS, TENURE), VERDICT_EARLY);
	assert_int_equal(verdict_of(&transient, &doubtful, VERDICT_TICKS, TENURE), VERDICT_EARLY);
	assert_int_equal(verdict_of(&transient, &doubtful, VERDICT_TICKS - 1, TENURE), VERDICT_TRANSIENT);
}

/* A leak has few cycles: old is old by time as well. */
static void test_verdict_of_what_is_old_without_cycles_is_steady(void **state)
{
	struct lifetime lives = {.ended = {100}};
	struct survival survival = {0};

	(void)state;
	survival_add(&survival, &lives, 1);
	assert_int_equal(verdict_of(&survival, &(struct flow_trend){.old = true}, VERDICT_TICKS, TENURE),
			 VERDICT_STEADY);
	assert_int_equal(verdict_of(&survival, &(struct flow_trend){0}, VERDICT_TICKS, TENURE), VERDICT_MIXED);
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
	assert_string_equal(verdict_name(VERDICT_FILLING), "filling");
	assert_string_equal(verdict_name(VERDICT_MIXED), "mixed");
	assert_string_equal(verdict_name(VERDICT_EARLY), "too early");
}

/* --- how fast, how long -------------------------------------------------------------------------------------------- */

/* Who counts was born in buckets 3 to 5, of four ticks; ten units of time each. */
static void test_growth_is_net_inflow_by_time(void **state)
{
	const struct flow_trend trend = {.net = 1300, .variance = 190000, .first = 3, .end = 6};
	u64 clock[LIFETIME_BUCKETS];
	double error;

	(void)state;
	tell_time(clock, 40, 10);
	assert_true(verdict_growth(&trend, clock, &error) == 1300. / 120);
	assert_true(error == sqrt(190000) / 120);
}

static void test_growth_without_time_is_0(void **state)
{
	const struct flow_trend trend = {.net = 1300, .variance = 190000, .first = 3, .end = 6}, none = {0};
	u64 clock[LIFETIME_BUCKETS];
	double error = 1;

	(void)state;
	tell_time(clock, 40, 0);
	assert_true(verdict_growth(&trend, clock, &error) == 0 && error == 0);
	tell_time(clock, 40, 10);
	assert_true(verdict_growth(&none, clock, &error) == 0 && error == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdict_below_20_samples_is_unknown),
		cmocka_unit_test(test_verdict_transient_needs_59_samples),
		cmocka_unit_test(test_verdict_of_many_samples_of_which_none_survives_is_transient),
		cmocka_unit_test(test_verdict_before_it_is_due_is_too_early_or_transient),
		cmocka_unit_test(test_verdict_of_a_level_that_rises_is_not_steady),
		cmocka_unit_test(test_verdict_of_what_may_grow_is_too_early),
		cmocka_unit_test(test_verdict_of_what_is_old_without_cycles_is_steady),
		cmocka_unit_test(test_verdict_tenured_is_steady_and_else_mixed),
		cmocka_unit_test(test_verdict_name_each_has_one),
		cmocka_unit_test(test_growth_is_net_inflow_by_time),
		cmocka_unit_test(test_growth_without_time_is_0),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
