/* SPDX-License-Identifier: GPL-2.0-or-later */
/* index_read.c on files that no recording left: small ones that would become large, and other oddities. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
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

/* --- figures --- */

static struct index_table read_rows(const char *row)
{
	struct index_table table = {0};
	cJSON *index;

	write_index("{\"processes\":[", row, 1, "]}");
	index = index_read(".");
	assert_non_null(index);
	assert_int_equal(index_table_read(index, &table), 0);
	assert_int_equal(table.count, 1);
	cJSON_Delete(index);
	return table;
}

/* What was allocated in a long time may be more than a double holds to the byte: it is rounded, and not left out. */
static void test_figures_above_2_to_the_53_are_read(void **state)
{
	struct index_table table = read_rows("{\"alloc_space\":36028797018963969,\"alloc_objects\":9223372036854770000,"
					     "\"inuse_space\":9223372036854775808,\"samples\":5}");
	const struct index_entry *entry = &table.entries[0];

	(void)state;
	assert_true(entry->total[ALLOC_SPACE] == 1ull << 55);
	assert_true(entry->total[ALLOC_OBJECTS] == 9223372036854769664ull);
	assert_true(entry->total[INUSE_SPACE] == 0);
	index_table_release(&table);
}

static struct profile *make_profile(u64 size, u64 count)
{
	struct profile *profile = calloc(1, sizeof(*profile));

	assert_non_null(profile);
	profile->samples = calloc(1, sizeof(*profile->samples));
	assert_non_null(profile->samples);
	profile->sample_bytes = 1;
	profile->samples[0] = (struct profile_sample){.size = size, .alloc_count = count};
	profile->sample_count = 1;
	return profile;
}

/* The row and the profile have the same sums, which are not the same to the byte in JSON. */
static void test_index_completes_a_profile_of_more_than_2_to_the_53_bytes(void **state)
{
	static const char row[] = "{\"files\":[\"7.much.pb.gz\"],\"alloc_space\":%llu,\"alloc_objects\":3,\"pid\":7}";
	struct profile *much = make_profile((1ull << 56) + 1, 3), *more = make_profile((1ull << 56) + (1 << 10), 3);
	char text[200];
	cJSON *index;

	(void)state;
	snprintf(text, sizeof(text), row, 3 * ((1ull << 56) + 1));
	write_index("{\"processes\":[", text, 1, "]}");
	index = index_read(".");
	assert_non_null(index);
	index_complete(index, "7.much.pb.gz", much);
	index_complete(index, "7.much.pb.gz", more);
	assert_int_equal(much->pid, 7);
	assert_int_equal(more->pid, 0);
	cJSON_Delete(index);
	profile_free(much);
	profile_free(more);
}

/* Such figures are turned into whole numbers, and printed. */
static void test_figures_that_no_process_has_are_unknown(void **state)
{
	struct index_table table =
		read_rows("{\"verdict\":\"growing\",\"growth_bytes_per_second\":1e300,\"growth_standard_error\":1e999,"
			  "\"standard_error\":{\"alloc_space\":1e999,\"alloc_objects\":1e300,\"inuse_space\":3},"
			  "\"slowdown_percent\":1e308}");
	const struct index_entry *entry = &table.entries[0];

	(void)state;
	assert_int_equal(entry->lifespan.verdict, VERDICT_GROWING);
	assert_true(entry->lifespan.growth == 0);
	assert_true(isnan(entry->lifespan.growth_error));
	assert_true(isnan(entry->stderr_total[ALLOC_SPACE]));
	assert_true(isnan(entry->stderr_total[ALLOC_OBJECTS]));
	assert_true(entry->stderr_total[INUSE_SPACE] == 3);
	assert_true(entry->facts->slowdown_percent == 0);
	index_table_release(&table);
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
		TEST(test_figures_above_2_to_the_53_are_read),
		TEST(test_index_completes_a_profile_of_more_than_2_to_the_53_bytes),
		TEST(test_figures_that_no_process_has_are_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
