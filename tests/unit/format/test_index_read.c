/* SPDX-License-Identifier: GPL-2.0-or-later */
/* index_read.c on files that no recording left: small ones that would become large, and other oddities. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "unit/base/capture.h"
#include "unit/system/scratch.h"

#include "format/index_read.h"

#define TIMES	      4000000
#define GROWTH_KB_MAX (128 << 10)

static void write_index(const char *begin, const char *again, int times, const char *end)
{
	FILE *out = fopen("index.json", "we");

	assert_non_null(out);
	fputs(begin, out);
	for (int i = 0; i < times; i++)
		fputs(again, out);
	fputs(end, out);
	assert_int_equal(fclose(out), 0);
}

static void assert_refused(const char *begin, const char *again, const char *end)
{
	struct rusage before, after;
	struct capture said;

	write_index(begin, again, TIMES, end);
	getrusage(RUSAGE_SELF, &before);
	capture_begin(&said, stderr);
	assert_null(index_read("."));
	capture_end(&said);
	getrusage(RUSAGE_SELF, &after);
	assert_non_null(strstr(said.text, "index.json' is not used"));
	assert_true(after.ru_maxrss - before.ru_maxrss < GROWTH_KB_MAX);
}

static void test_read_index_of_millions_of_values_is_refused(void **state)
{
	(void)state;
	assert_refused("{\"processes\":[", "{},", "{}]}");
	assert_refused("{\"processes\":[", "0,", "0]}");
	assert_refused("{\"processes\":[", "[],", "[]]}");
	assert_refused("{\"\\\"processes\\\\\":[", "\"\",", "0]}");
}

static void test_read_index_larger_than_64_mib_is_refused(void **state)
{
	(void)state;
	assert_refused("{\"options\":[\"", "a text of 20 bytes, ", "\"]}");
}

/* What stands in texts counts for nothing. */
static void test_read_index_of_odd_texts_is_read(void **state)
{
	cJSON *index;

	(void)state;
	write_index("{\"options\":[\"\\\"", "[{,", 100000, "\\\\\",\"\"]}");
	index = index_read(".");
	assert_non_null(index);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(index, "options")), 2);
	cJSON_Delete(index);
}

/* Else a report would lack what only the index knows, and not say so. */
static void test_index_that_cannot_be_opened_is_named(void **state)
{
	struct rlimit before, none;
	struct capture said;

	(void)state;
	write_index("{}", "", 0, "");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	capture_begin(&said, stderr);
	setrlimit(RLIMIT_NOFILE, &none);
	assert_null(index_read("."));
	setrlimit(RLIMIT_NOFILE, &before);
	capture_end(&said);
	assert_non_null(strstr(said.text, "index.json' is not used: "));
	assert_non_null(strstr(said.text, strerror(EMFILE)));
}

static void test_no_index_is_nothing_to_say(void **state)
{
	struct capture said;

	(void)state;
	capture_begin(&said, stderr);
	assert_null(index_read("./nowhere"));
	capture_end(&said);
	assert_string_equal(said.text, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_read_index_of_millions_of_values_is_refused),
		TEST(test_read_index_larger_than_64_mib_is_refused),
		TEST(test_read_index_of_odd_texts_is_read),
		TEST(test_index_that_cannot_be_opened_is_named),
		TEST(test_no_index_is_nothing_to_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
