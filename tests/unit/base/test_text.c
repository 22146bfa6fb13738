/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text.c: what is a character and what is not, at the borders that the standard draws. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define R "\xef\xbf\xbd"

static void assert_clean(const char *text, const char *expected)
{
	char *clean = text_clean(text);

	assert_string_equal(clean, expected);
	free(clean);
}

static void assert_kept(const char *text)
{
	assert_clean(text, text);
}

static void test_text_clean_valid_text_is_kept(void **state)
{
	(void)state;
	assert_kept("");
	assert_kept("plain");
	assert_kept("\xc2\xa0 \xdf\xbf");
	assert_kept("\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf");
	assert_kept("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf");
}

static void test_text_clean_invalid_bytes_are_replaced_one_by_one(void **state)
{
	(void)state;
	assert_clean("a\x80z", "a" R "z");
	assert_clean("\xfe\xff", R R);
	assert_clean("\xc0\xaf \xc1\xbf", R R " " R R);		    /* overlong */
	assert_clean("\xe0\x9f\xbf", R R R);			    /* overlong */
	assert_clean("\xf0\x8f\xbf\xbf", R R R R);		    /* overlong */
	assert_clean("\xed\xa0\x80", R R R);			    /* surrogate */
	assert_clean("\xf4\x90\x80\x80 \xf5\x80", R R R R " " R R); /* beyond U+10FFFF */
}

static void test_text_clean_truncated_character_reads_no_further(void **state)
{
	(void)state;
	assert_clean("\xc3", R);
	assert_clean("\xe2\x82", R R);
	assert_clean("\xf0\x9f\x98", R R R);
	assert_clean("\xe2\x82x", R R "x");
	assert_clean("\xf0\x9f\x98\xc3\xa9", R R R "\xc3\xa9");
}

/* Viewers of a profile print its strings to terminals as they are. */
static void test_text_clean_disarms_what_terminals_obey(void **state)
{
	(void)state;
	assert_clean("a\nb\t\x01\x1b[2J\x7f \xc2\x80\xc2\x9b\xc2\xa0 \x9b", "a?b???[2J? ??\xc2\xa0 " R);
}

/* What is printed, for the caller to free. */
static char *print_line(const char *text)
{
	char *printed;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	assert_non_null(out);
	assert_int_equal(text_print_line(text, out), text_print_line(text, NULL));
	assert_int_equal(fclose(out), 0);
	assert_int_equal(text_print_line(text, NULL), size);
	return printed;
}

static void test_text_print_line_replaces_control_characters(void **state)
{
	char *clean = print_line("a\nb\tc\x1b\x7f \xc3\xa9\xff \x9b \xc2\x80\xc2\x9f\xc2\xa0");

	(void)state;
	assert_string_equal(clean, "a?b?c?? \xc3\xa9" R " " R " ??\xc2\xa0");
	free(clean);
}

static void test_text_print_line_cuts_long_text_between_characters(void **state)
{
	size_t size = TEXT_LINE_MAX + 10;
	char *text = malloc(size + 1), *clean;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', size);
	text[size] = '\0';
	memcpy(text + TEXT_LINE_MAX - 1, "\xe2\x82\xac", 3);
	clean = print_line(text);
	assert_int_equal(strlen(clean), TEXT_LINE_MAX - 1);
	free(clean);
	memset(text, 'x', size);
	text[TEXT_LINE_MAX] = '\0';
	clean = print_line(text);
	assert_string_equal(clean, text);
	free(clean);
	free(text);
}

static void test_text_printable_disarms_what_terminals_obey(void **state)
{
	char text[] = "\033[2Jm\xc3\xb6glich\t\x7f\xc2\x9b \xff\xe2\x82";

	(void)state;
	assert_string_equal(text_printable(text), "?[2Jm\xc3\xb6glich???? ???");
}

static void test_base_name_is_what_is_behind_the_last_slash(void **state)
{
	(void)state;
	assert_string_equal(text_base_name("/usr/bin/ls"), "ls");
	assert_string_equal(text_base_name("ls"), "ls");
	assert_string_equal(text_base_name("/usr/bin/"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_clean_valid_text_is_kept),
		cmocka_unit_test(test_text_clean_invalid_bytes_are_replaced_one_by_one),
		cmocka_unit_test(test_text_clean_truncated_character_reads_no_further),
		cmocka_unit_test(test_text_clean_disarms_what_terminals_obey),
		cmocka_unit_test(test_text_print_line_replaces_control_characters),
		cmocka_unit_test(test_text_print_line_cuts_long_text_between_characters),
		cmocka_unit_test(test_text_printable_disarms_what_terminals_obey),
		cmocka_unit_test(test_base_name_is_what_is_behind_the_last_slash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
