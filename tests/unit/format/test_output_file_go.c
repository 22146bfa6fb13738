/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What output_file.c writes in both readable formats, given to the real `go tool pprof`. */
#include "writer_scratch.h"

#include "base/string_list.h"
#include "go_pprof.h"

static const char *const index_names[MEASURE_MAX] = {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"};

/* "Showing nodes accounting for 1B, 50% of 2B total" */
static u64 total_of(const char *output)
{
	const char *line = strstr(output, "Showing nodes accounting for "), *total = line ? strstr(line, " of ") : NULL;

	if (!total) {
		print_error("no total in:\n%s", output);
		fail();
		return 0;
	}
	return strtoull(total + strlen(" of "), NULL, 10);
}

static bool says_type(const char *output, enum measure measure)
{
	char line[64];

	snprintf(line, sizeof(line), "Type: %s\n", index_names[measure]);
	return strstr(output, line) != NULL;
}

static void assert_total(const char *name, enum measure measure, u64 expected)
{
	char *output = go_pprof("-top -unit=B -sample_index=%s %s", index_names[measure], name);

	assert_true(says_type(output, measure));
	assert_int_equal(total_of(output), expected);
	free(output);
}

/* Its text reader drops objects of requested size 0. */
static void sum_without_size_zero(const struct profile *profile, u64 total[MEASURE_MAX])
{
	memset(total, 0, MEASURE_MAX * sizeof(*total));
	for (u32 i = 0; i < profile->sample_count; i++) {
		u64 value[MEASURE_MAX];

		profile_sample_values(profile, &profile->samples[i], value);
		for (int m = 0; m < MEASURE_MAX && profile->samples[i].size; m++)
			total[m] += value[m];
	}
}

static void assert_go_reads(const struct profile *profile, unsigned int measures)
{
	u64 total[MEASURE_MAX], text_total[MEASURE_MAX];
	char **files;

	assert_int_equal(output_file_write(directory, profile, FORMAT_PPROF | FORMAT_TEXT, "", &files), 0);
	profile_totals(profile, total);
	sum_without_size_zero(profile, text_total);
	for (unsigned int m = 0; m < measures; m++)
		assert_total(files[0], m, total[m]);
	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		assert_total(files[1], m, text_total[m]);
	string_list_free(files);
}

static void test_writer_go_reads_the_small_profile_in_all_indexes(void **state)
{
	struct profile profile = golden_small();

	(void)state;
	assert_go_reads(&profile, MEASURE_MAX);
}

static void test_writer_go_reads_an_all_live_profile_in_all_indexes(void **state)
{
	struct profile profile = golden_all_live();

	(void)state;
	assert_go_reads(&profile, MEASURE_MAX);
}

static void test_writer_go_reads_an_empty_profile_in_all_indexes(void **state)
{
	struct profile profile = golden_empty();

	(void)state;
	assert_go_reads(&profile, MEASURE_MAX);
}

static void test_writer_go_reads_an_alloc_only_profile(void **state)
{
	struct profile profile = golden_alloc_only();

	(void)state;
	assert_go_reads(&profile, INUSE_OBJECTS);
}

/* Every small size, where the last bit of an exponential decides, at awkward intervals: both formats to the byte. */
static void test_writer_go_unsamples_text_to_the_same_byte(void **state)
{
	static const u64 intervals[] = {3, 524288, 67108864};
	enum {
		MANY = 3000
	};
	struct profile_sample *samples = calloc(MANY, sizeof(*samples));

	(void)state;
	assert_non_null(samples);
	for (u64 i = 0; i < MANY; i++)
		samples[i] = (struct profile_sample){.size = i + 1, .alloc_count = 1 + i % 7, .inuse_count = i % 3};
	for (int i = 0; i < 3; i++) {
		struct profile profile = golden_empty();

		profile.sample_bytes = intervals[i];
		profile.samples = samples;
		profile.sample_count = MANY;
		assert_go_reads(&profile, MEASURE_MAX);
	}
	free(samples);
}

static void test_writer_go_shows_our_names_and_inlining(void **state)
{
	struct profile profile = golden_small();
	char **files, *output;

	(void)state;
	assert_int_equal(output_file_write(directory, &profile, FORMAT_PPROF, "", &files), 0);
	output = go_pprof("-top -unit=B -sample_index=inuse_space %s", files[0]);
	assert_non_null(strstr(output, "File: small app\n"));
	assert_non_null(strstr(output, "Build ID: 0102030405060708090a0b0c0d0e0f10111213ff\n"));
	assert_non_null(strstr(output, "1574400B 21.44% 92.86%   1574400B 21.44%  make_node (inline)\n"));
	assert_non_null(strstr(output, "ns::list<int>::grow"));
	assert_non_null(strstr(output, "heaptap: lost_ring=2\n"));
	free(output);
	string_list_free(files);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* Go 1.24's flame graph leaves out locations without a line, and shows their bytes as their callers'. */
static void test_writer_go_has_a_line_for_code_without_a_name(void **state)
{
	struct profile profile = golden_small();
	char **files, *output;

	(void)state;
	assert_int_equal(output_file_write(directory, &profile, FORMAT_PPROF, "", &files), 0);
	output = go_pprof("-traces -sample_index=alloc_objects %s", files[0]);
	assert_non_null(strstr(output, "524288   [[vdso]+0xa10]\n             [0x10]\n"));
	free(output);
	string_list_free(files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_writer_go_reads_the_small_profile_in_all_indexes),
		TEST(test_writer_go_reads_an_all_live_profile_in_all_indexes),
		TEST(test_writer_go_reads_an_empty_profile_in_all_indexes),
		TEST(test_writer_go_reads_an_alloc_only_profile),
		TEST(test_writer_go_unsamples_text_to_the_same_byte),
		TEST(test_writer_go_shows_our_names_and_inlining),
		TEST(test_writer_go_has_a_line_for_code_without_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
