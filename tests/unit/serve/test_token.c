/* SPDX-License-Identifier: GPL-2.0-or-later */
/* token.c: which files hold a token, and which headers show it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/token.h"
#include "unit/system/scratch.h"

static struct token token;

static int read_line(const char *line, mode_t mode)
{
	unlink("token");
	scratch_file("token", line, mode);
	return token_read("token", &token);
}

/* A NUL within the line. */
static void write_nul(const char *name)
{
	static const char line[] = "0123456789abcdef\0ghi\n";
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	assert_int_equal(fwrite(line, 1, sizeof(line) - 1, file), sizeof(line) - 1);
	assert_int_equal(fclose(file), 0);
}

static void test_token_is_the_first_line_of_a_private_file(void **state)
{
	(void)state;
	assert_int_equal(read_line("0123456789abcdef\nsecond\n", 0600), 0);
	assert_string_equal(token.text, "0123456789abcdef");
	assert_int_equal(read_line("0123456789abcdef", 0400), 0);
	assert_int_equal(read_line("0123456789abcdef", 0640), -EACCES);
	assert_int_equal(read_line("0123456789abcdef", 0604), -EACCES);
	assert_int_equal(read_line("", 0600), -EINVAL);
	assert_int_equal(read_line("short\n", 0600), -EINVAL);
	assert_int_equal(read_line("0123456789 abcdef\n", 0600), -EINVAL);
	assert_int_equal(read_line("0123456789-abcd\xc3\xa9\n", 0600), -EINVAL);
	unlink("token");
	write_nul("token");
	assert_int_equal(token_read("token", &token), -EINVAL);
	assert_int_equal(token_read("/nowhere/at/all", &token), -ENOENT);
}

static void test_token_is_shown_as_bearer_and_as_password(void **state)
{
	(void)state;
	assert_int_equal(read_line("0123456789abcdef\n", 0600), 0);
	assert_true(token_is_shown(&token, "Bearer 0123456789abcdef"));
	assert_true(token_is_shown(&token, "bearer 0123456789abcdef"));
	assert_true(token_is_shown(&token, "Basic eDowMTIzNDU2Nzg5YWJjZGVm"));	    /* x:TOKEN */
	assert_true(token_is_shown(&token, "Basic OjAxMjM0NTY3ODlhYmNkZWY="));	    /* :TOKEN */
	assert_false(token_is_shown(&token, "Basic eDowMTIzNDU2Nzg5YWJjZGVmZw==")); /* x:TOKENg */
	assert_false(token_is_shown(&token, "Basic MDEyMzQ1Njc4OWFiY2RlZg=="));	    /* TOKEN without a colon */
	assert_false(token_is_shown(&token, NULL));
	assert_false(token_is_shown(&token, ""));
	assert_false(token_is_shown(&token, "Bearer "));
	assert_false(token_is_shown(&token, "Bearer 0123456789abcde"));
	assert_false(token_is_shown(&token, "Bearer 0123456789abcdef0123456789abcdef"));
	assert_false(token_is_shown(&token, "Bearer 0123456789abcdeg"));
	assert_false(token_is_shown(&token, "Basic !!!!"));
	assert_false(token_is_shown(&token, "0123456789abcdef"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_token_is_the_first_line_of_a_private_file),
		cmocka_unit_test(test_token_is_shown_as_bearer_and_as_password),
	};

	return cmocka_run_group_tests_name("token", tests, scratch_setup, scratch_teardown);
}
