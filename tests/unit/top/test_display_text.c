/* SPDX-License-Identifier: GPL-2.0-or-later */
/* display_text.c: nothing that a terminal obeys, columns as a terminal counts them, cuts between characters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "top/display_text.h"

static void test_display_clean_leaves_nothing_to_obey(void **state)
{
	static const struct {
		const char *text, *utf8, *ascii;
	} cases[] = {
		{"plain", "plain", "plain"},
		{"\033[2J\a\n\t\x7f", "?[2J????", "?[2J????"},
		{"\xc2\x9b"
		 "31m",
		 "?31m", "?31m"},
		{"±5", "±5", "+-5"},
		{"日本", "日本", "??"},
		{"e\xcc\x81", "e\xcc\x81", "e?"},
		{"a\xe2\x80\xae"
		 "b\xe2\x81\xa6"
		 "c\xe2\x80\x8f\xd8\x9c",
		 "a?b?c??", "a?b?c??"},
		{"\xe2\x80\xa8\xe2\x80\xa9", "??", "??"},
		{"\xff\xc0\x80\xed\xa0\x80\xf0\x9f", "????????", "????????"},
		{"\xf0\x9f\x92\xa9", "\xf0\x9f\x92\xa9", "?"},
		{"", "", ""},
	};
	char buffer[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		display_clean(cases[i].text, DISPLAY_UTF8, buffer, sizeof(buffer));
		assert_string_equal(buffer, cases[i].utf8);
		display_clean(cases[i].text, DISPLAY_ASCII, buffer, sizeof(buffer));
		assert_string_equal(buffer, cases[i].ascii);
	}
}

static void test_display_clean_fills_a_small_buffer_with_whole_characters(void **state)
{
	char buffer[5];

	(void)state;
	display_clean("日本語", DISPLAY_UTF8, buffer, sizeof(buffer));
	assert_string_equal(buffer, "日");
	display_clean("abcdef", DISPLAY_ASCII, buffer, sizeof(buffer));
	assert_string_equal(buffer, "abcd");
	display_clean("abc±", DISPLAY_ASCII, buffer, sizeof(buffer));
	assert_string_equal(buffer, "abc");
}

static void test_display_columns_are_a_terminals(void **state)
{
	(void)state;
	assert_int_equal(display_columns(""), 0);
	assert_int_equal(display_columns("abc"), 3);
	assert_int_equal(display_columns("±"), 1);
	assert_int_equal(display_columns("日本"), 4);
	assert_int_equal(display_columns("e\xcc\x81t\xcc\x81"), 2);
	assert_int_equal(display_columns("\xf0\x9f\x92\xa9"), 2);
}

static void assert_cut(const char *text, unsigned int columns, const char *wanted)
{
	char copy[64];

	snprintf(copy, sizeof(copy), "%s", text);
	display_cut(copy, columns);
	assert_string_equal(copy, wanted);
	assert_in_range(display_columns(copy), 0, columns);
}

static void test_display_cut_keeps_characters_whole(void **state)
{
	(void)state;
	assert_cut("abcdef", 6, "abcdef");
	assert_cut("abcdef", 5, "ab...");
	assert_cut("abcdef", 3, "...");
	assert_cut("abcdef", 2, "ab");
	assert_cut("abcdef", 0, "");
	assert_cut("日本語", 6, "日本語");
	assert_cut("日本語", 5, "日...");
	assert_cut("日本語", 4, "...");
	assert_cut("日本語", 1, "");
	assert_cut("e\xcc\x81t\xcc\x81", 2, "e\xcc\x81t\xcc\x81");
	assert_cut("", 0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_display_clean_leaves_nothing_to_obey),
		cmocka_unit_test(test_display_clean_fills_a_small_buffer_with_whole_characters),
		cmocka_unit_test(test_display_columns_are_a_terminals),
		cmocka_unit_test(test_display_cut_keeps_characters_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
