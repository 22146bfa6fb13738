/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text.c against literal files, and edge cases of its strictest reader (`go tool pprof`). */
#include "unit/profile/golden.h"
#include "printed.h"
#include "format/text.h"

static char *write_string(const struct profile *profile)
{
	struct printed printed;

	assert_int_equal(text_write(profile, printed_open(&printed)), 0);
	return printed_close(&printed);
}

static void assert_written(const struct profile *profile, const char *name)
{
	char *text = write_string(profile);

	assert_golden(text, name);
	free(text);
}

static void test_write_text_small_profile_matches_golden_file(void **state)
{
	struct profile profile = golden_small();

	(void)state;
	assert_written(&profile, "small.txt");
}

static void test_write_text_empty_profile_matches_golden_file(void **state)
{
	struct profile profile = golden_empty();

	(void)state;
	assert_written(&profile, "empty.txt");
}

static void test_write_text_all_live_profile_matches_golden_file(void **state)
{
	struct profile profile = golden_all_live();

	(void)state;
	assert_written(&profile, "all_live.txt");
}

static void test_write_text_alloc_only_profile_matches_golden_file(void **state)
{
	struct profile profile = golden_alloc_only();

	(void)state;
	assert_written(&profile, "alloc_only.txt");
}

static void test_write_text_odd_names_stay_one_line_each(void **state)
{
	struct profile_line line = {(char *)"a\nb\t\xff", (char *)"x", (char *)"dir\n1/f.c", 1, 1, FRAME_PROGRAM};
	struct profile_location location = {.address = 0x1233, .mapping = 0, .line_count = 1, .lines = &line};
	struct profile_mapping mapping = {.start = 0x1000, .end = 0x2000, .path = (char *)"/x\n1: 1 [1: 1] @"};
	u32 index = 0;
	struct profile_sample sample = {.location = &index, .depth = 1, .size = 1, .alloc_count = 1};
	struct profile profile = {.sample_bytes = 1,
				  .mappings = &mapping,
				  .mapping_count = 1,
				  .locations = &location,
				  .location_count = 1,
				  .samples = &sample,
				  .sample_count = 1};
	char *text = write_string(&profile);

	(void)state;
	assert_non_null(strstr(text, "\n0: 0 [1: 1] @ 0x1234\n#\t0x1233\ta?b?\xef\xbf\xbd+0x0\tdir?1/f.c:1\n\n"));
	assert_non_null(strstr(text, "MAPPED_LIBRARIES:\n00001000-00002000 r-xp 00000000 00:00 0 /x?1: 1 [1: 1] @\n"));
	free(text);
}

/* As a profile of another program may say. */
static void test_write_text_more_in_use_than_allocated_frees_nothing(void **state)
{
	struct profile_sample sample = {.size = 8, .alloc_count = 2, .inuse_count = 3};
	struct profile profile = {.sample_bytes = 1, .samples = &sample, .sample_count = 1};
	char *text = write_string(&profile);

	(void)state;
	assert_non_null(strstr(text, "\n# Mallocs = 2\n# Frees = 0\n"));
	free(text);
}

/* The reader's lines end at 64 KiB; the cut falls between characters. */
static void test_write_text_huge_name_is_cut_at_a_character(void **state)
{
	char *name = malloc(200001), *text, *at;
	struct profile_line line = {name, name, NULL, 0, 0, FRAME_PROGRAM};
	struct profile_location location = {.address = 1, .mapping = MAPPING_UNKNOWN, .line_count = 1, .lines = &line};
	u32 index = 0;
	struct profile_sample sample = {.location = &index, .depth = 1, .size = 1, .alloc_count = 1};
	struct profile profile = {
		.sample_bytes = 1, .locations = &location, .location_count = 1, .samples = &sample, .sample_count = 1};

	(void)state;
	assert_non_null(name);
	name[0] = 'n';
	for (int i = 1; i + 1 < 200001; i += 2)
		memcpy(name + i, "\xc3\xa9", 2);
	name[199999] = '\0';
	text = write_string(&profile);
	for (at = strtok(text, "\n"); at; at = strtok(NULL, "\n")) {
		assert_true(strlen(at) < 16384);
		if (*at == '#' && strstr(at, "\xc3"))
			assert_string_equal(at + strlen(at) - 6, "\xc3\xa9+0x0" + 0);
	}
	free(text);
	free(name);
}

static void test_write_text_huge_counts_stay_within_signed_64_bits(void **state)
{
	struct profile_sample samples[2] = {
		{.size = 1ULL << 40, .alloc_count = 1ULL << 40, .inuse_count = 1ULL << 40},
		{.size = 1ULL << 40, .alloc_count = 1ULL << 40, .inuse_count = 1ULL << 40},
	};
	struct profile profile = {.sample_bytes = 1, .samples = samples, .sample_count = 2};
	char *text = write_string(&profile);

	(void)state;
	assert_non_null(
		strstr(text, "heap profile: 2199023255552: 9223372036854775807 [2199023255552: 9223372036854775806] @ "
			     "heap/2\n"));
	assert_non_null(strstr(text, "\n1099511627776: 9223372036854775807 [1099511627776: 9223372036854775807] @\n"));
	free(text);
}

static void test_write_text_full_device_is_reported(void **state)
{
	struct profile profile = golden_small();
	FILE *out = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(out);
	assert_int_equal(text_write(&profile, out), -ENOSPC);
	fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_text_small_profile_matches_golden_file),
		cmocka_unit_test(test_write_text_empty_profile_matches_golden_file),
		cmocka_unit_test(test_write_text_all_live_profile_matches_golden_file),
		cmocka_unit_test(test_write_text_alloc_only_profile_matches_golden_file),
		cmocka_unit_test(test_write_text_odd_names_stay_one_line_each),
		cmocka_unit_test(test_write_text_more_in_use_than_allocated_frees_nothing),
		cmocka_unit_test(test_write_text_huge_name_is_cut_at_a_character),
		cmocka_unit_test(test_write_text_huge_counts_stay_within_signed_64_bits),
		cmocka_unit_test(test_write_text_full_device_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
