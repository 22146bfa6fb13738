/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_news.c: what is said, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "push/store_news.h"
#include "unit/base/capture.h"

#define SECOND 1000000000ull

static struct store_news news;
static struct push_ledger ledger;
static u64 now_ns;
static struct capture said;

static int begin(void **state)
{
	(void)state;
	news = (struct store_news){.url = "http://store", .waiting_place = "in memory"};
	ledger = (struct push_ledger){0};
	now_ns = 1000 * SECOND;
	return 0;
}

static const char *answer(enum push_verdict verdict, enum push_cause cause, u32 status, const char *text)
{
	struct push_reply reply = {.status = status};

	snprintf(reply.text, sizeof(reply.text), "%s", text);
	capture_begin(&said, stderr);
	store_news_answer(&news, verdict, cause, &reply, &ledger, now_ns);
	return capture_end(&said);
}

static const char *losses(bool last)
{
	capture_begin(&said, stderr);
	store_news_losses(&news, &ledger, now_ns, last);
	return capture_end(&said);
}

static void lose(enum push_cause cause)
{
	push_amount_add(&ledger.dropped[cause], &(struct push_amount){1, 2, 30});
}

static void test_news_of_a_store_that_is_away_come_once_for_each_status(void **state)
{
	(void)state;
	assert_string_equal(
		answer(PUSH_AGAIN, PUSH_UNSENT, 0, "Connection refused"),
		"heaptap: 'http://store' takes no profiles (Connection refused); they wait in memory, and it is tried again\n");
	assert_string_equal(answer(PUSH_AGAIN, PUSH_UNSENT, 0, "Connection refused"), "");
	assert_string_equal(
		answer(PUSH_AGAIN, PUSH_DENIED, 401, "who are you"),
		"heaptap: 'http://store' takes no profiles (it answers 401: who are you); they wait in memory, and it is tried again\n");
	assert_string_equal(answer(PUSH_AGAIN, PUSH_DENIED, 401, "who are you"), "");
	now_ns += 90 * SECOND;
	ledger.waiting.requests = 3;
	assert_string_equal(answer(PUSH_SENT, PUSH_UNSENT, 200, ""),
			    "heaptap: 'http://store' takes profiles again after 90 s; 3 requests are waiting\n");
	assert_string_equal(answer(PUSH_SENT, PUSH_UNSENT, 200, ""), "");
}

static void test_news_of_losses_come_at_most_every_ten_minutes(void **state)
{
	(void)state;
	assert_string_equal(losses(false), "");
	lose(PUSH_QUEUE_FULL);
	assert_string_equal(
		losses(false),
		"heaptap: requests to 'http://store' are lost: 1 with 2 profiles, no room in memory for what could not be sent\n");
	lose(PUSH_QUEUE_FULL);
	assert_string_equal(losses(false), "");
	now_ns += STORE_NEWS_EVERY_NS - 1;
	lose(PUSH_QUEUE_FULL);
	assert_string_equal(losses(false), "");
	now_ns++;
	assert_non_null(strstr(losses(false), "are lost: 2 with 4 profiles, no room"));
	lose(PUSH_QUEUE_FULL);
	assert_non_null(strstr(losses(true), "are lost: 1 with 2 profiles, no room"));
	assert_string_equal(losses(true), "");
}

static void test_news_of_a_refusal_have_the_stores_words(void **state)
{
	(void)state;
	assert_string_equal(answer(PUSH_DROP, PUSH_REFUSED, 400, "bad label"), "");
	lose(PUSH_REFUSED);
	lose(PUSH_TOO_OLD);
	losses(false);
	assert_non_null(strstr(
		said.text,
		"1 with 2 profiles, refused by the store for what they are (another 4xx) (it answers 400: bad label)\n"));
	assert_non_null(strstr(said.text, "the recording is old, or the clock stepped\n"));
}

static void test_news_of_what_is_rejected_of_requests_that_are_taken(void **state)
{
	const struct push_reply reply = {.status = 200, .whole = true, .rejected = 3, .text = "no such type"};

	(void)state;
	store_news_answer(&news, PUSH_SENT, PUSH_CAUSE_COUNT, &reply, &ledger, now_ns);
	push_amount_add(&ledger.dropped[PUSH_REJECTED], &(struct push_amount){0, 3, 30});
	assert_string_equal(
		losses(false),
		"heaptap: profiles for 'http://store' are lost: 3, rejected by the store out of requests that it took otherwise "
		"(OTLP's partial success) (it answers 200: no such type)\n");
	push_amount_add(&ledger.dropped[PUSH_REJECTED], &(struct push_amount){0, 2, 20});
	assert_string_equal(losses(false), "");
	assert_non_null(strstr(losses(true), "are lost: 2, rejected by the store"));
}

static void test_news_of_a_warning_come_once(void **state)
{
	const struct push_reply reply = {.status = 200, .whole = true, .warns = true, .text = "use gRPC"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		capture_begin(&said, stderr);
		store_news_answer(&news, PUSH_SENT, PUSH_CAUSE_COUNT, &reply, &ledger, now_ns);
		assert_string_equal(capture_end(&said),
				    i ? "" : "heaptap: 'http://store' takes the profiles, and warns: use gRPC\n");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_news_of_a_store_that_is_away_come_once_for_each_status, begin),
		cmocka_unit_test_setup(test_news_of_losses_come_at_most_every_ten_minutes, begin),
		cmocka_unit_test_setup(test_news_of_a_refusal_have_the_stores_words, begin),
		cmocka_unit_test_setup(test_news_of_what_is_rejected_of_requests_that_are_taken, begin),
		cmocka_unit_test_setup(test_news_of_a_warning_come_once, begin),
	};

	return cmocka_run_group_tests_name("store_news", tests, NULL, NULL);
}
