/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base64.c: the examples of RFC 4648, section 10, and every digit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"

static void assert_encodes(const void *bytes, size_t size, const char *wanted)
{
	size_t length;
	char *text = base64_encode(bytes, size, &length);

	assert_non_null(text);
	assert_string_equal(text, wanted);
	assert_int_equal(length, strlen(wanted));
	free(text);
}

static void test_base64_pads_what_is_no_multiple_of_three(void **state)
{
	(void)state;
	assert_encodes("", 0, "");
	assert_encodes("f", 1, "Zg==");
	assert_encodes("fo", 2, "Zm8=");
	assert_encodes("foo", 3, "Zm9v");
	assert_encodes("foob", 4, "Zm9vYg==");
	assert_encodes("fooba", 5, "Zm9vYmE=");
	assert_encodes("foobar", 6, "Zm9vYmFy");
}

static void test_base64_takes_any_byte(void **state)
{
	static const unsigned char bytes[] = {0, 0, 0, 0xff, 0xff, 0xff, 0xfb, 0xef, 0xbe};

	(void)state;
	assert_encodes(bytes, sizeof(bytes), "AAAA////++++");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64_pads_what_is_no_multiple_of_three),
		cmocka_unit_test(test_base64_takes_any_byte),
	};

	return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
