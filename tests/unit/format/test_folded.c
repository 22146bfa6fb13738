/* SPDX-License-Identifier: GPL-2.0-or-later */
/* folded.c against a literal file: merging, inlined frames, unnamed code, odd names. */
#include "unit/profile/golden.h"
#include "printed.h"
#include "format/folded.h"

static char *write_string(const struct profile *profile, enum measure measure)
{
	struct printed printed;

	assert_int_equal(folded_write(profile, printed_open(&printed), measure), 0);
	return printed_close(&printed);
}

static void assert_written(const struct profile *profile, enum measure measure, const char *name)
{
	char *text = write_string(profile, measure);

	assert_golden(text, name);
	free(text);
}

static void test_write_folded_inuse_space_matches_golden_file(void **state)
{
	struct profile profile = golden_small();

	(void)state;
	assert_written(&profile, INUSE_SPACE, "small.folded");
}

/* Sizes 1024 and 524288 of one stack are one line; the object of size 0 counts as an object. */
static void test_write_folded_alloc_objects_matches_golden_file(void **state)
{
	struct profile profile = golden_small();

	(void)state;
	assert_written(&profile, ALLOC_OBJECTS, "small.alloc_objects.folded");
}

static void test_write_folded_empty_or_unmeasured_profile_is_empty(void **state)
{
	struct profile empty = golden_empty(), alloc_only = golden_alloc_only();
	char *text = write_string(&empty, INUSE_SPACE);

	(void)state;
	assert_string_equal(text, "");
	free(text);
	text = write_string(&alloc_only, INUSE_SPACE);
	assert_string_equal(text, "");
	free(text);
}

static void test_write_folded_odd_names_cannot_forge_frames_or_lines(void **state)
{
	struct profile_line line = {(char *)"a;b\nc 7\xff", (char *)"x", NULL, 0, 0, FRAME_PROGRAM};
	struct profile_mapping mapping = {
		.start = 0x1000, .end = 0x2000, .file_offset = 0x500, .path = (char *)"/lib/x;y.so"};
	struct profile_location locations[] = {
		{.address = 1, .mapping = MAPPING_UNKNOWN, .line_count = 1, .lines = &line},
		{.address = 0x1010, .mapping = 0},
	};
	u32 stack[] = {0, 1};
	struct profile_sample sample = {.location = stack, .depth = 2, .size = 5, .alloc_count = 1, .inuse_count = 1};
	struct profile profile = {.sample_bytes = 1,
				  .mappings = &mapping,
				  .mapping_count = 1,
				  .locations = locations,
				  .location_count = 2,
				  .samples = &sample,
				  .sample_count = 1};
	char *text = write_string(&profile, INUSE_SPACE);

	(void)state;
	assert_string_equal(text, "x:y.so+0x510;a:b?c 7\xef\xbf\xbd 5\n");
	free(text);
}

static void test_write_folded_full_device_is_reported(void **state)
{
	struct profile profile = golden_small();
	FILE *out = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(out);
	assert_int_equal(folded_write(&profile, out, INUSE_SPACE), -ENOSPC);
	fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_folded_inuse_space_matches_golden_file),
		cmocka_unit_test(test_write_folded_alloc_objects_matches_golden_file),
		cmocka_unit_test(test_write_folded_empty_or_unmeasured_profile_is_empty),
		cmocka_unit_test(test_write_folded_odd_names_cannot_forge_frames_or_lines),
		cmocka_unit_test(test_write_folded_full_device_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
