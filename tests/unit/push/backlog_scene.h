/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A backlog, by the test's clock, and its spool in a scratch directory, which is the current one. */
#include "push/backlog.h"
#include "unit/push/requests.h"
#include "unit/system/scratch.h"

#define SECOND 1000000000ll
#define MIB    (1u << 20)

static struct backlog backlog;
static struct push_spool *spool;
static struct push_moment moment;

static inline int begin(void **state)
{
	backlog_init(&backlog, 20261130);
	moment = (struct push_moment){1700000000 * SECOND, 5000 * SECOND};
	return scratch_setup(state);
}

static inline int open_spool(u64 bytes_max)
{
	struct push_spool_options options = {"spool", "http://store", bytes_max};

	if (push_spool_open(&options, &backlog.ledger, &spool))
		return -1;
	backlog.spool = spool;
	return 0;
}

static inline int begin_with_spool(void **state)
{
	return begin(state) || open_spool(64ull * MIB);
}

static inline int begin_with_small_spool(void **state)
{
	return begin(state) || open_spool(MIB);
}

static inline int end(void **state)
{
	backlog_release(&backlog);
	push_spool_close(spool);
	spool = NULL;
	return scratch_teardown(state);
}

static inline void pass(s64 ns)
{
	moment.wall_ns += ns;
	moment.steady_ns += (u64)ns;
}

static inline void add(unsigned int number, size_t size)
{
	struct push_request request = request_make(number, size, moment.wall_ns);

	backlog_add(&backlog, &request);
	backlog_tend(&backlog, &moment);
	assert_true(push_ledger_balances(&backlog.ledger));
}

/* The one that is sent now has that number, and is answered so. */
static inline enum push_verdict answer(unsigned int number, u32 status, enum push_cause *ret_cause)
{
	struct push_reply reply = reply_of(status);
	const struct push_request *request = backlog_next(&backlog, &moment);
	enum push_verdict verdict;

	assert_non_null(request);
	assert_int_equal(request_number(request), number);
	assert_null(backlog_next(&backlog, &moment));
	verdict = backlog_settle(&backlog, &reply, &moment, ret_cause);
	backlog_tend(&backlog, &moment);
	assert_true(push_ledger_balances(&backlog.ledger));
	return verdict;
}

static inline void assert_answered(unsigned int number, u32 status, enum push_verdict verdict)
{
	enum push_cause cause;

	assert_int_equal(answer(number, status, &cause), verdict);
}

static inline void wait_for_backoff(void)
{
	u64 wait = backlog_wait_ns(&backlog, &moment);

	assert_in_range(wait, 1, BACKOFF_SAID_MOST_NS * 5 / 4);
	assert_null(backlog_next(&backlog, &moment));
	pass((s64)wait);
}

#define IN_MEMORY(name)	 cmocka_unit_test_setup_teardown(name, begin, end)
#define WITH_SPOOL(name) cmocka_unit_test_setup_teardown(name, begin_with_spool, end)
#define SMALL(name)	 cmocka_unit_test_setup_teardown(name, begin_with_small_spool, end)
