/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backlog.c and the spool through a day of a store that is away for a third of it, by the test's clock: a request every 15 seconds, each
 * sent in 50 ms. What arrives, arrives once; within the bounds nothing is lost; what is beyond them is counted; memory stays flat.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "push/backlog.h"
#include "unit/push/requests.h"
#include "unit/system/scratch.h"

#define SECOND	   1000000000ll
#define MINUTE	   (60 * SECOND)
#define HOUR	   (60 * MINUTE)
#define DAY	   (24 * HOUR)
#define EVERY	   (15 * SECOND)
#define TAKES	   (SECOND / 20)
#define TICKS	   (DAY / EVERY)
#define WALL_BEGIN (1700000000 * SECOND)
#define BLOCK	   4096

static struct backlog backlog;
static struct push_spool *spool;
static s64 at;				  /* since the beginning of the day */
static unsigned int arrived[DAY / EVERY]; /* how often each request did */
static size_t held_most, size;
static s64 period, away; /* the store is away for `away` at the end of each period */

static size_t held(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static struct push_moment moment(void)
{
	return (struct push_moment){WALL_BEGIN + at, (u64)(HOUR + at)};
}

static bool is_away(void)
{
	return at % period >= period - away;
}

static int open_spool(u64 bytes_max)
{
	struct push_spool_options options = {"spool", "http://store", bytes_max};

	assert_int_equal(push_spool_open(&options, &backlog.ledger, &spool), 0);
	backlog.spool = spool;
	return 0;
}

static int begin(void **state)
{
	at = 0;
	held_most = 0;
	size = 1000;
	memset(arrived, 0, sizeof(arrived));
	backlog_init(&backlog, 20261130);
	/* In memory, if there is such a place: a day of flushes to a disk takes minutes. */
	if (!access("/dev/shm", W_OK))
		setenv("TMPDIR", "/dev/shm", 1);
	return scratch_setup(state);
}

static int end(void **state)
{
	backlog_release(&backlog);
	push_spool_close(spool);
	spool = NULL;
	return scratch_teardown(state);
}

/* While it is away it does not answer, says that it is busy, or for how long. */
static struct push_reply reply(unsigned int number)
{
	static const u32 absent[] = {0, 503, 429, 502};
	struct push_reply made = reply_of(is_away() ? absent[number % 4] : 200);

	if (made.status == 429)
		made.said_ns = 20 * SECOND;
	return made;
}

static void send_one(const struct push_request *request)
{
	unsigned int number = request_number(request);
	struct push_reply answer = reply(number);
	struct push_moment now;
	enum push_cause cause;

	at += TAKES;
	now = moment();
	if (backlog_settle(&backlog, &answer, &now, &cause) == PUSH_SENT)
		arrived[number]++;
	assert_true(push_ledger_balances(&backlog.ledger));
}

/* All that can be done until then. */
static void run_until(s64 end_at)
{
	while (at < end_at) {
		struct push_moment now = moment();
		const struct push_request *request;
		u64 wait;

		backlog_tend(&backlog, &now);
		request = backlog_next(&backlog, &now);
		if (held() > held_most)
			held_most = held();
		wait = backlog_wait_ns(&backlog, &now);
		if (request)
			send_one(request);
		else
			at = wait < (u64)(end_at - at) ? at + (s64)wait : end_at;
	}
}

static void add(unsigned int number)
{
	struct push_request request = request_make(number, size, WALL_BEGIN + at);

	backlog_add(&backlog, &request);
}

static void run_ticks(unsigned int from, unsigned int to)
{
	for (unsigned int tick = from; tick < to; tick++) {
		add(tick);
		run_until((tick + 1) * EVERY);
		assert_true(backlog.queue.bytes <= BACKLOG_BYTES_MAX);
	}
}

static unsigned int count_arrived(void)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < TICKS; i++) {
		assert_in_range(arrived[i], 0, 1);
		count += arrived[i];
	}
	return count;
}

/* What was held at most, beyond what was held at first: the list of the spool's files, and a few requests. */
static void assert_flat(size_t before)
{
	assert_true(held_most <= before + (256 << 10));
}

static void test_day_within_the_bounds_loses_nothing(void **state)
{
	size_t before;

	(void)state;
	period = 2 * HOUR;
	away = 40 * MINUTE;
	open_spool(8 << 20);
	before = held();
	run_ticks(0, TICKS);
	run_until(DAY + MINUTE);
	run_until(DAY + 10 * MINUTE);
	assert_int_equal(count_arrived(), TICKS);
	assert_int_equal(push_ledger_dropped(&backlog.ledger).requests, 0);
	assert_int_equal(backlog.ledger.waiting.requests, 0);
	assert_true(backlog.ledger.spooled.requests >= (u64)(12 * (away / EVERY - 8)));
	assert_flat(before);
}

/* In the midst of an outage heaptap ends, and begins anew. */
static void test_day_with_a_restart_loses_nothing(void **state)
{
	struct push_amount left;

	(void)state;
	period = 3 * HOUR;
	away = 55 * MINUTE;
	open_spool(8 << 20);
	run_ticks(0, (unsigned int)((3 * HOUR - 10 * MINUTE) / EVERY));
	backlog_end(&backlog);
	left = backlog.ledger.waiting;
	assert_true(left.requests > 100);
	backlog_release(&backlog);
	push_spool_close(spool);
	backlog_init(&backlog, 7);
	open_spool(8 << 20);
	assert_int_equal(backlog.ledger.resumed.samples, left.samples);
	run_ticks((unsigned int)((3 * HOUR - 10 * MINUTE) / EVERY), (unsigned int)(5 * HOUR / EVERY));
	assert_int_equal(count_arrived(), 5 * HOUR / EVERY);
	assert_int_equal(push_ledger_dropped(&backlog.ledger).requests, 0);
}

/* Away for longer than stores take: what is older than that when it is back is lost, nothing else, and counted. */
static void test_day_of_long_outages_loses_what_is_too_old(void **state)
{
	unsigned int lost = 0;

	(void)state;
	period = 6 * HOUR;
	away = 2 * HOUR;
	open_spool(8 << 20);
	run_ticks(0, TICKS);
	run_until(DAY + 10 * MINUTE);
	for (unsigned int i = 0; i < TICKS; i++) {
		s64 phase = i * EVERY % period;
		s64 age = period -
			  phase; /* when it is back; it is asked at most 75 s later, and has all sent within a minute */

		if (phase < period - away || age < BACKLOG_AGE_MAX_NS - 3 * MINUTE)
			assert_int_equal(arrived[i], 1);
		if (phase >= period - away && age > BACKLOG_AGE_MAX_NS)
			assert_int_equal(arrived[i], 0);
		lost += !arrived[i];
	}
	assert_int_equal(backlog.ledger.dropped[PUSH_TOO_OLD].requests, lost);
	assert_int_equal(count_arrived() + lost, TICKS);
	assert_int_equal(push_ledger_dropped(&backlog.ledger).requests, lost);
}

/* A spool for a quarter of an hour: of each outage the last quarter arrives. */
static void test_day_of_a_small_spool_loses_the_oldest(void **state)
{
	const unsigned int fit = 60;
	size_t before;

	(void)state;
	period = 2 * HOUR;
	away = 40 * MINUTE;
	open_spool((u64)fit * BLOCK);
	before = held();
	run_ticks(0, TICKS);
	run_until(DAY + 10 * MINUTE);
	assert_int_equal(backlog.ledger.dropped[PUSH_SPOOL_FULL].requests, TICKS - count_arrived());
	for (unsigned int i = 0; i < TICKS; i++) {
		s64 phase = i * EVERY % period;

		if (phase < period - away - MINUTE || phase >= period - (fit - 8) * EVERY)
			assert_int_equal(arrived[i], 1);
	}
	assert_true(count_arrived() < TICKS - 12 * 80);
	assert_flat(before);
}

/* Without a spool memory holds what it may, and no more. */
static void test_day_in_memory_is_bounded(void **state)
{
	size_t before = held();

	(void)state;
	period = 2 * HOUR;
	away = 40 * MINUTE;
	size = 200000; /* 83 of them fit, 160 come */
	run_ticks(0, TICKS);
	run_until(DAY + 10 * MINUTE);
	assert_int_equal(backlog.ledger.dropped[PUSH_QUEUE_FULL].requests, TICKS - count_arrived());
	assert_in_range(TICKS - count_arrived(), 12 * 60, 12 * 100);
	assert_true(held_most <= before + BACKLOG_BYTES_MAX + (1 << 20));
	assert_int_equal(backlog.queue.bytes, 0);
}

#define DAY_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DAY_TEST(test_day_within_the_bounds_loses_nothing),
		DAY_TEST(test_day_with_a_restart_loses_nothing),
		DAY_TEST(test_day_of_long_outages_loses_what_is_too_old),
		DAY_TEST(test_day_of_a_small_spool_loses_the_oldest),
		DAY_TEST(test_day_in_memory_is_bounded),
	};

	return cmocka_run_group_tests_name("backlog_day", tests, NULL, NULL);
}
