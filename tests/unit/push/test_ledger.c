/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ledger.c: figures add up, and each cause of a loss is in the balance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "push/ledger.h"

#define AMOUNT(n) ((struct push_amount){(n), 10 * (n), 100 * (n)})

static void test_ledger_balances_with_each_cause_of_a_loss(void **state)
{
	(void)state;
	for (int cause = 0; cause < PUSH_CAUSE_COUNT; cause++) {
		struct push_ledger ledger = {.taken = AMOUNT(7),
					     .resumed = AMOUNT(2),
					     .sent = AMOUNT(5),
					     .waiting = AMOUNT(1),
					     .attempts = 5};

		assert_false(push_ledger_balances(&ledger));
		ledger.dropped[cause] = AMOUNT(3);
		ledger.attempts += cause == PUSH_REJECTED ? 3 : 0;
		assert_true(push_ledger_balances(&ledger));
		ledger.dropped[cause].samples--;
		assert_false(push_ledger_balances(&ledger));
	}
}

/* One may be under way; none that has ended is without its cause. */
static void test_ledger_balances_with_each_failure_of_an_attempt(void **state)
{
	(void)state;
	for (int failure = 0; failure < PUSH_FAILURE_COUNT; failure++) {
		struct push_ledger ledger = {.taken = AMOUNT(2), .sent = AMOUNT(2), .attempts = 5};

		assert_false(push_ledger_balances(&ledger));
		ledger.failed[failure] = 3;
		assert_true(push_ledger_balances(&ledger));
		ledger.failed[failure] = 2;
		assert_true(push_ledger_balances(&ledger));
		ledger.failed[failure] = 4;
		assert_false(push_ledger_balances(&ledger));
		ledger.failed[failure] = 1;
		assert_false(push_ledger_balances(&ledger));
	}
}

/* From the table with that heading to its end. */
static const char *table_below(char *manual, const char *heading)
{
	char *table = strstr(manual, heading), *end = table ? strstr(table, "\n\n") : NULL;

	if (!end)
		fail_msg("docs/push.md has no table '%s'", heading);
	else
		*end = '\0';
	return table;
}

static void assert_in_table(const char *table, const char *cause)
{
	char name[64];

	snprintf(name, sizeof(name), "`%s`", cause);
	if (!strstr(table, name))
		fail_msg("%s is not in its table of docs/push.md", name);
}

/* An operator meets the names in metrics. Some are in both tables. */
static void test_ledger_causes_are_in_the_manual(void **state)
{
	static char manual[1 << 16];
	const char *failures, *causes;
	FILE *file = fopen(SOURCE_DIR "/docs/push.md", "re");

	(void)state;
	assert_non_null(file);
	assert_in_range(fread(manual, 1, sizeof(manual) - 1, file), 1, sizeof(manual) - 2);
	fclose(file);
	causes = table_below(manual, "| cause | the profiles are |");
	failures = table_below(manual, "| cause | the attempt |");
	for (int i = 0; i < PUSH_CAUSE_COUNT; i++)
		assert_in_table(causes, push_cause_name(i));
	for (int i = 0; i < PUSH_FAILURE_COUNT; i++)
		assert_in_table(failures, push_failure_name(i));
}

static void test_ledger_sums_balance(void **state)
{
	struct push_ledger sum = {.taken = AMOUNT(4),
				  .waiting = AMOUNT(4),
				  .spooled = AMOUNT(2),
				  .attempts = 3,
				  .sent_bytes = 100,
				  .untold_processes = 1,
				  .untold_bytes = 10};
	struct push_ledger more = {.taken = AMOUNT(2),
				   .resumed = AMOUNT(1),
				   .sent = AMOUNT(1),
				   .attempts = 5,
				   .sent_bytes = 50,
				   .untold_processes = 2,
				   .untold_bytes = 20};
	struct push_amount dropped;

	(void)state;
	more.dropped[PUSH_TOO_OLD] = AMOUNT(1);
	more.dropped[PUSH_UNSENT] = AMOUNT(1);
	sum.failed[PUSH_FAILED_TLS] = 2;
	more.failed[PUSH_FAILED_TLS] = 3;
	more.failed[PUSH_FAILED_STOPPED] = 1;
	push_ledger_add(&sum, &more);
	dropped = push_ledger_dropped(&sum);
	assert_true(push_ledger_balances(&sum));
	assert_int_equal(dropped.samples, 200);
	assert_int_equal(sum.spooled.profiles, 20);
	assert_int_equal(sum.attempts, 8);
	assert_int_equal(sum.failed[PUSH_FAILED_TLS], 5);
	assert_int_equal(push_ledger_failed(&sum), 6);
	assert_int_equal(sum.sent_bytes, 150);
	assert_int_equal(sum.untold_processes, 3);
	assert_int_equal(sum.untold_bytes, 30);
}

/* No more samples than there are, however large the figures. */
static void test_ledger_part_of_an_amount(void **state)
{
	const struct push_amount whole = {1, 4, 1002}, vast = {1, UINT64_MAX, UINT64_MAX};
	struct push_amount part = push_amount_part(&whole, 1);

	(void)state;
	assert_int_equal(part.requests, 0);
	assert_int_equal(part.profiles, 1);
	assert_int_equal(part.samples, 250);
	part = push_amount_part(&whole, 4);
	assert_memory_equal(&part, &whole, sizeof(part));
	part = push_amount_part(&whole, UINT64_MAX);
	assert_memory_equal(&part, &whole, sizeof(part));
	assert_true(push_amount_part(&vast, 1ull << 63).samples <= vast.samples);
}

static void assert_named(const char *name, const char *text)
{
	assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789"), strlen(name));
	assert_true(strlen(text) > 10);
}

static void test_ledger_causes_have_names_and_lines(void **state)
{
	(void)state;
	for (int cause = 0; cause < PUSH_CAUSE_COUNT; cause++)
		assert_named(push_cause_name(cause), push_cause_text(cause));
	for (int failure = 0; failure < PUSH_FAILURE_COUNT; failure++)
		assert_named(push_failure_name(failure), push_failure_text(failure));
	assert_string_equal(push_failure_name(PUSH_FAILED_STATUS_5XX), "status_5xx");
	assert_string_equal(push_cause_name(PUSH_TOO_OLD), "too_old");
	assert_string_equal(push_cause_name(PUSH_UNSENT), "unsent");
	/* The store need not have been away. */
	assert_non_null(strstr(push_cause_text(PUSH_TOO_OLD), "the recording is old"));
	assert_non_null(strstr(push_cause_text(PUSH_TOO_OLD), "the clock stepped"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ledger_balances_with_each_cause_of_a_loss),
		cmocka_unit_test(test_ledger_balances_with_each_failure_of_an_attempt),
		cmocka_unit_test(test_ledger_causes_are_in_the_manual),
		cmocka_unit_test(test_ledger_sums_balance),
		cmocka_unit_test(test_ledger_part_of_an_amount),
		cmocka_unit_test(test_ledger_causes_have_names_and_lines),
	};

	return cmocka_run_group_tests_name("push_ledger", tests, NULL, NULL);
}
