/* SPDX-License-Identifier: GPL-2.0-or-later */
/* backlog.c: what is older is sent before what is newer, wherever the two wait, and gives way before it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/push/backlog_scene.h"

#define MANY 9 /* of a MiB: more than half of what memory has room for */

/* The first is sent from memory; so many come while the store does not answer that they go to the spool. */
static void fill_behind_the_first(void)
{
	add(1, 100);
	assert_non_null(backlog_next(&backlog, &moment));
	assert_int_equal(push_spool_count(spool), 0);
	for (unsigned int i = 2; i < 2 + MANY; i++)
		add(i, MIB);
	assert_int_equal(backlog.queue.bytes, 0);
}

static void settle(u32 status, enum push_verdict verdict)
{
	struct push_reply reply = reply_of(status);
	enum push_cause cause;

	assert_int_equal(backlog_settle(&backlog, &reply, &moment, &cause), verdict);
	backlog_tend(&backlog, &moment);
	assert_true(push_ledger_balances(&backlog.ledger));
}

static void test_backlog_sends_again_what_was_under_way_before_what_came_meanwhile(void **state)
{
	(void)state;
	fill_behind_the_first();
	settle(503, PUSH_AGAIN);
	wait_for_backoff();
	for (unsigned int i = 1; i < 2 + MANY; i++)
		assert_answered(i, 200, PUSH_SENT);
	assert_int_equal(push_spool_count(spool), 0);
	assert_int_equal(backlog.ledger.waiting.requests, 0);
}

static void test_backlog_sent_while_others_went_to_the_spool_is_not_sent_twice(void **state)
{
	(void)state;
	fill_behind_the_first();
	settle(200, PUSH_SENT);
	for (unsigned int i = 2; i < 2 + MANY; i++)
		assert_answered(i, 200, PUSH_SENT);
	assert_int_equal(backlog_wait_ns(&backlog, &moment), UINT64_MAX);
	assert_int_equal(backlog.ledger.sent.requests, 1 + MANY);
}

static void test_backlog_that_ends_has_what_was_under_way_first_in_the_spool(void **state)
{
	struct push_request request;

	(void)state;
	fill_behind_the_first();
	backlog_end(&backlog);
	assert_int_equal(push_spool_count(spool), 1 + MANY);
	assert_int_equal(push_spool_load(spool, &request), 0);
	assert_int_equal(request_number(&request), 1);
	push_request_free(&request);
	assert_true(push_ledger_balances(&backlog.ledger));
}

/* Eight of a MiB fit. */
static void test_backlog_under_way_gives_way_before_what_came_meanwhile(void **state)
{
	(void)state;
	assert_int_equal(open_spool(9 * MIB), 0);
	fill_behind_the_first();
	assert_int_equal(push_spool_count(spool), MANY);
	settle(503, PUSH_AGAIN);
	add(2 + MANY, MIB);
	wait_for_backoff();
	for (unsigned int i = 4; i < 3 + MANY; i++)
		assert_answered(i, 200, PUSH_SENT);
	assert_int_equal(backlog_wait_ns(&backlog, &moment), UINT64_MAX);
}

/* It may be on its way into the store. */
static void test_backlog_under_way_and_larger_than_the_spool_is_lost_only_if_it_fails(void **state)
{
	(void)state;
	assert_int_equal(open_spool(2 * MIB), 0);
	for (int i = 0; i < 2; i++) {
		add(1, 3 * MIB);
		assert_non_null(backlog_next(&backlog, &moment));
		for (unsigned int n = 2; n < 2 + MANY; n++)
			add(n, MIB - 8192);
		assert_int_equal(push_spool_count(spool), 2);
		settle(i ? 503 : 200, i ? PUSH_AGAIN : PUSH_SENT);
		assert_int_equal(backlog.ledger.dropped[PUSH_SPOOL_FULL].requests, (i + 1) * (MANY - 2) + i);
		if (i)
			wait_for_backoff();
		assert_answered(MANY, 200, PUSH_SENT);
		assert_answered(1 + MANY, 200, PUSH_SENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SPOOL(test_backlog_sends_again_what_was_under_way_before_what_came_meanwhile),
		WITH_SPOOL(test_backlog_sent_while_others_went_to_the_spool_is_not_sent_twice),
		WITH_SPOOL(test_backlog_that_ends_has_what_was_under_way_first_in_the_spool),
		IN_MEMORY(test_backlog_under_way_gives_way_before_what_came_meanwhile),
		IN_MEMORY(test_backlog_under_way_and_larger_than_the_spool_is_lost_only_if_it_fails),
	};

	return cmocka_run_group_tests_name("backlog_order", tests, NULL, NULL);
}
