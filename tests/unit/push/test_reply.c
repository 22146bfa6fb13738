/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reply.c: what follows from each answer of a store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "push/reply.h"

static void test_reply_of_each_status(void **state)
{
	static const struct {
		u32 status;
		enum push_verdict verdict;
		enum push_cause cause;
	} rows[] = {
		{0, PUSH_AGAIN, PUSH_UNSENT},
		{200, PUSH_SENT, PUSH_CAUSE_COUNT},
		{204, PUSH_SENT, PUSH_CAUSE_COUNT},
		{301, PUSH_DROP, PUSH_REDIRECTED},
		{308, PUSH_DROP, PUSH_REDIRECTED},
		{400, PUSH_DROP, PUSH_REFUSED},
		{401, PUSH_AGAIN, PUSH_DENIED},
		{403, PUSH_DROP, PUSH_DENIED},
		{404, PUSH_DROP, PUSH_REFUSED},
		{407, PUSH_AGAIN, PUSH_DENIED},
		{408, PUSH_AGAIN, PUSH_UNSENT},
		{413, PUSH_DROP, PUSH_TOO_LARGE},
		{415, PUSH_DROP, PUSH_REFUSED},
		{422, PUSH_DROP, PUSH_REFUSED},
		{425, PUSH_AGAIN, PUSH_UNSENT},
		{429, PUSH_AGAIN, PUSH_UNSENT},
		{500, PUSH_AGAIN_A_FEW, PUSH_STORE_FAILED},
		{501, PUSH_AGAIN_A_FEW, PUSH_STORE_FAILED},
		{502, PUSH_AGAIN, PUSH_UNSENT},
		{503, PUSH_AGAIN, PUSH_UNSENT},
		{504, PUSH_AGAIN, PUSH_UNSENT},
		{101, PUSH_AGAIN_A_FEW, PUSH_BAD_ANSWER},
		{999, PUSH_AGAIN_A_FEW, PUSH_BAD_ANSWER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct push_reply reply = {.status = rows[i].status, .whole = true};
		enum push_cause cause = PUSH_CAUSE_COUNT;

		assert_int_equal(push_reply_verdict(&reply, &cause), rows[i].verdict);
		if (rows[i].verdict != PUSH_SENT)
			assert_int_equal(cause, rows[i].cause);
	}
}

static void test_reply_that_is_not_whole(void **state)
{
	struct push_reply taken = {.status = 200}, refused = {.status = 400}, busy = {.status = 503},
			  garbled = {.garbled = true};
	enum push_cause cause;

	(void)state;
	assert_int_equal(push_reply_verdict(&taken, &cause), PUSH_DROP);
	assert_int_equal(cause, PUSH_BAD_ANSWER);
	assert_int_equal(push_reply_verdict(&refused, &cause), PUSH_DROP);
	assert_int_equal(cause, PUSH_REFUSED);
	assert_int_equal(push_reply_verdict(&busy, &cause), PUSH_AGAIN);
	assert_int_equal(push_reply_verdict(&garbled, &cause), PUSH_AGAIN_A_FEW);
	assert_int_equal(cause, PUSH_BAD_ANSWER);
}

static void test_reply_tells_why_an_attempt_failed(void **state)
{
	static const struct {
		struct push_reply reply;
		enum push_failure failure;
	} rows[] = {
		{{.status = 301, .whole = true}, PUSH_FAILED_STATUS_3XX},
		{{.status = 401, .whole = true}, PUSH_FAILED_STATUS_4XX},
		{{.status = 413, .whole = true}, PUSH_FAILED_STATUS_4XX},
		{{.status = 429, .whole = true}, PUSH_FAILED_STATUS_429},
		{{.status = 503, .whole = true}, PUSH_FAILED_STATUS_5XX},
		{{.status = 503, .failure = PUSH_FAILED_TIMEOUT}, PUSH_FAILED_STATUS_5XX},
		{{.status = 101, .whole = true}, PUSH_FAILED_BAD_ANSWER},
		{{.status = 999, .whole = true}, PUSH_FAILED_BAD_ANSWER},
		{{.garbled = true, .failure = PUSH_FAILED_CUT}, PUSH_FAILED_BAD_ANSWER},
		{{.status = 200, .garbled = true}, PUSH_FAILED_BAD_ANSWER},
		{{.status = 200, .failure = PUSH_FAILED_TIMEOUT}, PUSH_FAILED_TIMEOUT},
		{{.status = 200, .failure = PUSH_FAILED_CUT}, PUSH_FAILED_CUT},
		{{.failure = PUSH_FAILED_NO_NAME}, PUSH_FAILED_NO_NAME},
		{{.failure = PUSH_FAILED_NO_CONNECTION}, PUSH_FAILED_NO_CONNECTION},
		{{.failure = PUSH_FAILED_TLS}, PUSH_FAILED_TLS},
		{{0}, PUSH_FAILED_CUT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(push_reply_failure(&rows[i].reply), rows[i].failure);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reply_of_each_status),
		cmocka_unit_test(test_reply_that_is_not_whole),
		cmocka_unit_test(test_reply_tells_why_an_attempt_failed),
	};

	return cmocka_run_group_tests_name("push_reply", tests, NULL, NULL);
}
