/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ledger.c: figures add up, and each cause of a loss is in the balance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "push/ledger.h"

#define AMOUNT(n) ((struct push_amount){(n), 10 * (n), 100 * (n)})

static void test_ledger_balances_with_each_cause_of_a_loss(void **state)
{
	(void)state;
	for (int cause = 0; cause < PUSH_CAUSE_COUNT; cause++) {
		struct push_ledger ledger = {
			.taken = AMOUNT(7), .resumed = AMOUNT(2), .sent = AMOUNT(5), .waiting = AMOUNT(1)};

		assert_false(push_ledger_balances(&ledger));
		ledger.dropped[cause] = AMOUNT(3);
		assert_true(push_ledger_balances(&ledger));
		ledger.dropped[cause].samples--;
		assert_false(push_ledger_balances(&ledger));
	}
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
	push_ledger_add(&sum, &more);
	dropped = push_ledger_dropped(&sum);
	assert_true(push_ledger_balances(&sum));
	assert_int_equal(dropped.samples, 200);
	assert_int_equal(sum.spooled.profiles, 20);
	assert_int_equal(sum.attempts, 8);
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

static void test_ledger_causes_have_names_and_lines(void **state)
{
	(void)state;
	for (int cause = 0; cause < PUSH_CAUSE_COUNT; cause++) {
		assert_int_equal(strspn(push_cause_name(cause), "abcdefghijklmnopqrstuvwxyz_"),
				 strlen(push_cause_name(cause)));
		assert_true(strlen(push_cause_text(cause)) > 10);
	}
	assert_string_equal(push_cause_name(PUSH_TOO_OLD), "too_old");
	assert_string_equal(push_cause_name(PUSH_UNSENT), "unsent");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ledger_balances_with_each_cause_of_a_loss),
		cmocka_unit_test(test_ledger_sums_balance),
		cmocka_unit_test(test_ledger_part_of_an_amount),
		cmocka_unit_test(test_ledger_causes_have_names_and_lines),
	};

	return cmocka_run_group_tests_name("push_ledger", tests, NULL, NULL);
}
