/* SPDX-License-Identifier: GPL-2.0-or-later */
/* backlog.c: what is sent when, what waits where, and what is lost for which cause. The clock is the test's. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "unit/push/backlog_scene.h"

static void test_backlog_sends_in_order_and_holds_nothing_afterwards(void **state)
{
	(void)state;
	assert_int_equal(backlog_wait_ns(&backlog, &moment), UINT64_MAX);
	assert_null(backlog_next(&backlog, &moment));
	for (unsigned int i = 1; i <= 3; i++)
		add(i, 100);
	assert_int_equal(backlog_wait_ns(&backlog, &moment), 0);
	for (unsigned int i = 1; i <= 3; i++)
		assert_answered(i, 200, PUSH_SENT);
	assert_int_equal(backlog.queue.bytes, 0);
	assert_int_equal(backlog.ledger.sent.samples, 90);
	assert_int_equal(backlog.ledger.sent_bytes, 300);
	assert_int_equal(backlog.ledger.attempts, 3);
}

static void test_backlog_sends_again_what_the_store_did_not_take(void **state)
{
	static const u32 statuses[] = {0, 503, 429, 408, 502, 504, 401};

	(void)state;
	add(1, 100);
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		assert_answered(1, statuses[i], PUSH_AGAIN);
		wait_for_backoff();
	}
	assert_answered(1, 200, PUSH_SENT);
	assert_int_equal(backlog.ledger.attempts, 8);
	assert_int_equal(backlog.ledger.failed[PUSH_FAILED_CUT], 1);
	assert_int_equal(backlog.ledger.failed[PUSH_FAILED_STATUS_5XX], 3);
	assert_int_equal(backlog.ledger.failed[PUSH_FAILED_STATUS_429], 1);
	assert_int_equal(backlog.ledger.failed[PUSH_FAILED_STATUS_4XX], 2);
	assert_int_equal(backlog.ledger.sent.requests, 1);
}

static void test_backlog_drops_what_the_store_refuses_and_goes_on(void **state)
{
	static const struct {
		u32 status;
		enum push_cause cause;
	} rows[] = {{400, PUSH_REFUSED}, {403, PUSH_DENIED}, {413, PUSH_TOO_LARGE}, {302, PUSH_REDIRECTED}};
	enum push_cause cause;

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		add(i, 100);
		assert_int_equal(answer(i, rows[i].status, &cause), PUSH_DROP);
		assert_int_equal(cause, rows[i].cause);
		assert_int_equal(backlog.ledger.dropped[rows[i].cause].profiles, 2);
	}
	assert_int_equal(backlog_wait_ns(&backlog, &moment), UINT64_MAX);
}

/* It is not sent again, as what was taken would count twice. */
static void test_backlog_counts_what_is_rejected_of_a_request_that_is_taken(void **state)
{
	struct push_reply reply = reply_of(200);
	enum push_cause cause;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		add(i, 100);
		assert_non_null(backlog_next(&backlog, &moment));
		reply.rejected = i;
		assert_int_equal(backlog_settle(&backlog, &reply, &moment, &cause), PUSH_SENT);
		assert_true(push_ledger_balances(&backlog.ledger));
	}
	assert_int_equal(backlog.ledger.sent.requests, 2);
	assert_int_equal(backlog.ledger.sent_bytes, 200);
	assert_int_equal(backlog.ledger.sent.profiles, 3);
	assert_int_equal(backlog.ledger.sent.samples, 45);
	assert_int_equal(backlog.ledger.dropped[PUSH_REJECTED].requests, 1);
	assert_int_equal(backlog.ledger.dropped[PUSH_REJECTED].profiles, 3);
	assert_int_equal(backlog_wait_ns(&backlog, &moment), UINT64_MAX);
}

/* One that the store breaks on each time must not keep the others from being sent. */
static void test_backlog_tries_what_breaks_the_store_a_few_times(void **state)
{
	(void)state;
	add(1, 100);
	add(2, 100);
	for (int i = 1; i < PUSH_TRIES; i++) {
		assert_answered(1, 500, PUSH_AGAIN);
		wait_for_backoff();
	}
	assert_answered(1, 500, PUSH_DROP);
	assert_answered(2, 200, PUSH_SENT);
	assert_int_equal(backlog.ledger.dropped[PUSH_STORE_FAILED].requests, 1);
}

static void break_store(unsigned int number, int times)
{
	for (int i = 0; i < times; i++) {
		assert_answered(number, 500, PUSH_AGAIN);
		wait_for_backoff();
	}
}

/* The one whose tries they were is dropped for another cause. */
static void test_backlog_tries_are_of_one_request(void **state)
{
	(void)state;
	add(1, 100);
	break_store(1, PUSH_TRIES - 1);
	pass(BACKLOG_AGE_MAX_NS);
	add(2, 100);
	assert_int_equal(backlog.ledger.dropped[PUSH_TOO_OLD].requests, 1);
	break_store(2, PUSH_TRIES - 1);
	assert_answered(2, 500, PUSH_DROP);
	assert_int_equal(backlog.ledger.dropped[PUSH_STORE_FAILED].requests, 1);
}

static void test_backlog_tries_are_of_one_request_of_the_spool(void **state)
{
	(void)state;
	add(1, 600 << 10);
	break_store(1, PUSH_TRIES - 1);
	add(2, 600 << 10);
	assert_int_equal(backlog.ledger.dropped[PUSH_SPOOL_FULL].requests, 1);
	break_store(2, PUSH_TRIES - 1);
	pass(BACKLOG_AGE_MAX_NS);
	add(3, 100);
	assert_int_equal(backlog.ledger.dropped[PUSH_TOO_OLD].requests, 1);
	break_store(3, PUSH_TRIES - 1);
	assert_answered(3, 500, PUSH_DROP);
	assert_int_equal(backlog.ledger.dropped[PUSH_STORE_FAILED].requests, 1);
}

static void test_backlog_drops_what_is_out_of_the_stores_time(void **state)
{
	(void)state;
	add(1, 100);
	assert_answered(1, 503, PUSH_AGAIN);
	add(2, 100);
	pass(BACKLOG_AGE_MAX_NS);
	add(3, 100);
	assert_int_equal(backlog.ledger.dropped[PUSH_TOO_OLD].requests, 0);
	pass(SECOND);
	backlog_tend(&backlog, &moment);
	assert_int_equal(backlog.ledger.dropped[PUSH_TOO_OLD].requests, 2);
	assert_answered(3, 200, PUSH_SENT);
	add(4, 100);
	moment.wall_ns -= BACKLOG_AHEAD_MAX_NS + 1;
	backlog_tend(&backlog, &moment);
	assert_int_equal(backlog.ledger.dropped[PUSH_TOO_NEW].requests, 1);
	assert_true(push_ledger_balances(&backlog.ledger));
}

static void test_backlog_in_memory_is_bounded(void **state)
{
	(void)state;
	add(0, MIB);
	assert_answered(0, 503, PUSH_AGAIN);
	for (unsigned int i = 1; i <= 40; i++) {
		add(i, MIB);
		assert_true(backlog.queue.bytes <= BACKLOG_BYTES_MAX);
	}
	/* 15 of a MiB and what belongs to them; the first one waits besides. */
	assert_int_equal(backlog.ledger.dropped[PUSH_QUEUE_FULL].requests, 25);
	wait_for_backoff();
	assert_answered(0, 200, PUSH_SENT);
	assert_answered(26, 200, PUSH_SENT);
}

static void test_backlog_goes_to_the_spool_while_the_store_is_away(void **state)
{
	(void)state;
	add(1, 100);
	assert_int_equal(push_spool_count(spool), 0);
	assert_answered(1, 503, PUSH_AGAIN);
	assert_int_equal(push_spool_count(spool), 1);
	for (unsigned int i = 2; i <= 10; i++)
		add(i, 100);
	assert_int_equal(push_spool_count(spool), 10);
	assert_int_equal(backlog.queue.bytes, 0);
	wait_for_backoff();
	assert_answered(1, 0, PUSH_AGAIN);
	assert_int_equal(push_spool_count(spool), 10);
	wait_for_backoff();
	for (unsigned int i = 1; i <= 10; i++)
		assert_answered(i, 200, PUSH_SENT);
	add(11, 100);
	assert_int_equal(push_spool_count(spool), 0);
	assert_answered(11, 200, PUSH_SENT);
	assert_int_equal(backlog.ledger.spooled.requests, 10);
}

static void test_backlog_refused_from_the_spool_is_removed_there(void **state)
{
	(void)state;
	add(1, 100);
	assert_answered(1, 503, PUSH_AGAIN);
	add(2, 100);
	wait_for_backoff();
	assert_answered(1, 400, PUSH_DROP);
	assert_answered(2, 200, PUSH_SENT);
	assert_int_equal(push_spool_count(spool), 0);
	assert_int_equal(backlog.ledger.dropped[PUSH_REFUSED].requests, 1);
}

/* Where the disk takes no more, memory does, until the disk does again. */
static void test_backlog_stays_in_memory_where_the_disk_is_full(void **state)
{
	struct rlimit before, small;

	(void)state;
	add(1, 20000);
	assert_answered(1, 503, PUSH_AGAIN);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){10000, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	add(2, 20000);
	add(3, 20000);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(push_spool_count(spool), 1);
	assert_true(backlog.queue.bytes > 40000);
	add(4, 20000);
	assert_int_equal(push_spool_count(spool), 4);
	wait_for_backoff();
	for (unsigned int i = 1; i <= 4; i++)
		assert_answered(i, 200, PUSH_SENT);
}

/* The store takes long; the spool has no room for two, and memory is empty. */
static void test_backlog_stays_in_memory_beside_what_is_under_way(void **state)
{
	struct push_reply taken = reply_of(200);
	enum push_cause cause;

	(void)state;
	add(1, 600 << 10);
	assert_answered(1, 503, PUSH_AGAIN);
	wait_for_backoff();
	assert_non_null(backlog_next(&backlog, &moment));
	add(2, 600 << 10);
	assert_int_equal(backlog.ledger.waiting.requests, 2);
	assert_false(backlog.spool_fails);
	assert_int_equal(backlog_settle(&backlog, &taken, &moment, &cause), PUSH_SENT);
	assert_answered(2, 200, PUSH_SENT);
	assert_int_equal(backlog.ledger.dropped[PUSH_SPOOL_FULL].requests, 0);
}

static void test_backlog_larger_than_the_spool_is_lost_where_it_belongs_there(void **state)
{
	(void)state;
	add(1, 2 * MIB);
	assert_answered(1, 503, PUSH_AGAIN);
	assert_int_equal(backlog.ledger.dropped[PUSH_SPOOL_FULL].requests, 1);
	assert_int_equal(backlog.ledger.waiting.requests, 0);
}

static void test_backlog_that_ends_is_in_the_spool(void **state)
{
	(void)state;
	add(1, 100);
	add(2, 100);
	assert_non_null(backlog_next(&backlog, &moment));
	backlog_end(&backlog);
	assert_int_equal(push_spool_count(spool), 2);
	assert_int_equal(backlog.ledger.waiting.requests, 2);
	assert_int_equal(backlog.ledger.failed[PUSH_FAILED_STOPPED], 1);
	assert_true(push_ledger_balances(&backlog.ledger));
}

static void test_backlog_that_ends_without_a_spool_is_lost_for_the_last_cause(void **state)
{
	(void)state;
	add(1, 100);
	add(2, 100);
	assert_non_null(backlog_next(&backlog, &moment));
	backlog_end(&backlog);
	assert_int_equal(backlog.ledger.dropped[PUSH_UNSENT].requests, 2);
	add(3, 100);
	assert_answered(3, 401, PUSH_AGAIN);
	backlog_end(&backlog);
	assert_int_equal(backlog.ledger.dropped[PUSH_DENIED].requests, 1);
	assert_int_equal(backlog.ledger.waiting.requests, 0);
	assert_true(push_ledger_balances(&backlog.ledger));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_MEMORY(test_backlog_sends_in_order_and_holds_nothing_afterwards),
		IN_MEMORY(test_backlog_sends_again_what_the_store_did_not_take),
		IN_MEMORY(test_backlog_drops_what_the_store_refuses_and_goes_on),
		IN_MEMORY(test_backlog_counts_what_is_rejected_of_a_request_that_is_taken),
		IN_MEMORY(test_backlog_tries_what_breaks_the_store_a_few_times),
		IN_MEMORY(test_backlog_tries_are_of_one_request),
		SMALL(test_backlog_tries_are_of_one_request_of_the_spool),
		IN_MEMORY(test_backlog_drops_what_is_out_of_the_stores_time),
		IN_MEMORY(test_backlog_in_memory_is_bounded),
		WITH_SPOOL(test_backlog_goes_to_the_spool_while_the_store_is_away),
		WITH_SPOOL(test_backlog_refused_from_the_spool_is_removed_there),
		WITH_SPOOL(test_backlog_stays_in_memory_where_the_disk_is_full),
		SMALL(test_backlog_stays_in_memory_beside_what_is_under_way),
		SMALL(test_backlog_larger_than_the_spool_is_lost_where_it_belongs_there),
		WITH_SPOOL(test_backlog_that_ends_is_in_the_spool),
		IN_MEMORY(test_backlog_that_ends_without_a_spool_is_lost_for_the_last_cause),
	};

	return cmocka_run_group_tests_name("backlog", tests, NULL, NULL);
}
