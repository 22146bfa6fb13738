/* SPDX-License-Identifier: GPL-2.0-or-later */
/* otlp_answer.c: answers as they are on the wire, and what is none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "push/otlp_answer.h"

static void assert_answer(const char *body, size_t size, u64 rejected, const char *message)
{
	struct otlp_answer answer;

	assert_int_equal(otlp_answer_read(body, size, &answer), 0);
	assert_int_equal(answer.rejected, rejected);
	if (message)
		assert_string_equal(answer.message, message);
	else
		assert_null(answer.message);
	otlp_answer_release(&answer);
	assert_null(answer.message);
}

/* A string literal's bytes, without the NUL at its end. */
#define BYTES(text) text, sizeof(text) - 1

static void test_otlp_answer_says_how_many_are_rejected_and_why(void **state)
{
	(void)state;
	assert_answer(BYTES("\x0a\x08\x08\x03\x12\x04"
			    "full"),
		      3, "full");
	assert_answer(BYTES("\x0a\x02\x08\x01"), 1, NULL);
	assert_answer(BYTES("\x0a\x06\x12\x04"
			    "slow"),
		      0, "slow");
}

/* Fields of later versions are passed over; a number below 0 is none. */
static void test_otlp_answer_without_anything_rejected(void **state)
{
	(void)state;
	assert_answer(BYTES(""), 0, NULL);
	assert_answer(BYTES("\x0a\x00"), 0, NULL);
	assert_answer(BYTES("\x12\x01x"), 0, NULL);
	assert_answer(BYTES("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 0, NULL);
}

static void test_otlp_answer_that_is_none(void **state)
{
	struct otlp_answer answer;

	(void)state;
	assert_int_equal(otlp_answer_read(BYTES("<html></html>"), &answer), -EBADMSG);
	assert_int_equal(otlp_answer_read(BYTES("\x0a\x08\x08\x03"), &answer), -EBADMSG);
	assert_int_equal(otlp_answer_read(BYTES("\x0a\xff\xff\xff\xff\x7f"), &answer), -EBADMSG);
}

static void test_otlp_answer_is_known_by_its_type(void **state)
{
	(void)state;
	assert_true(otlp_answer_is_type("application/x-protobuf"));
	assert_true(otlp_answer_is_type("Application/X-Protobuf; charset=none"));
	assert_false(otlp_answer_is_type("application/x-protobuffer"));
	assert_false(otlp_answer_is_type("application/json"));
	assert_false(otlp_answer_is_type(""));
	assert_false(otlp_answer_is_type(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_otlp_answer_says_how_many_are_rejected_and_why),
		cmocka_unit_test(test_otlp_answer_without_anything_rejected),
		cmocka_unit_test(test_otlp_answer_that_is_none),
		cmocka_unit_test(test_otlp_answer_is_known_by_its_type),
	};

	return cmocka_run_group_tests_name("otlp_answer", tests, NULL, NULL);
}
