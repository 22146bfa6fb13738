/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbolize.c: names (a table replaces the symbolizer). */
#include "golden.h"
#include "unit/system/scratch.h"
#include "system/root_fs.h"
#include "binary/symbolizer.h"
#include "profile/symbolize.h"

/* --- the symbolizer's stand-in --- */

struct elf {
	int number;
};

static struct elf program, library;
static struct symbolizer *const symbolizer = (void *)&program; /* handed through only */
static const struct root_fs *asked_root;
static u64 asked_offset[16];
static unsigned int asked;
static int resolve_result;

static const struct symbol_line program_lines[] = {
	{"inner", "inner", "a.c", 3, 2},
	{"outer<int>", "_Z5outer", "a.c", 9, 8},
};
static const struct symbol_line library_line = {"export", "export", NULL, 0, 0};
static const struct symbol_line operator_line = {"operator new(unsigned long)", "_Znwm", NULL, 0, 0};

/* The program has lines everywhere; the library a symbol everywhere but at offset 0x2000. */
void symbolizer_set_root(struct symbolizer *handed, const struct root_fs *root)
{
	assert_ptr_equal(handed, symbolizer);
	asked_root = root;
}

int symbolizer_resolve(struct symbolizer *handed, struct elf *elf, u64 offset, struct symbol_frame *ret_frame)
{
	assert_ptr_equal(handed, symbolizer);
	if (asked < 16)
		asked_offset[asked++] = offset;
	if (resolve_result)
		return resolve_result;
	*ret_frame = (struct symbol_frame){0};
	if (elf == &program)
		*ret_frame = (struct symbol_frame){2, program_lines, 0x10};
	else if (offset == 0x3000)
		*ret_frame = (struct symbol_frame){1, &operator_line, 0x20};
	else if (offset != 0x2000)
		*ret_frame = (struct symbol_frame){1, &library_line, 0x20};
	return 0;
}

/* A profile as the recorder builds it: heap memory, addresses only. Locations: mapping index and address by pairs. */
static struct profile *bare_profile(const u64 (*locations)[2], u32 count)
{
	static const struct profile_mapping mappings[] = {
		{.start = 0x400000, .end = 0x500000, .file_offset = 0x1000, .elf = &program},
		{.start = 0x700000, .end = 0x800000, .file_offset = 0, .elf = &library},
		{.start = 0x900000, .end = 0xa00000},
	};
	struct profile *profile = calloc(1, sizeof(*profile));

	profile->sample_bytes = 1;
	profile->mapping_count = 3;
	profile->mappings = calloc(3, sizeof(*mappings));
	memcpy(profile->mappings, mappings, sizeof(mappings));
	profile->mappings[2].path = strdup("[vdso]");
	profile->comm = strdup("bare");
	profile->location_count = count;
	profile->locations = calloc(count, sizeof(*profile->locations));
	for (u32 i = 0; i < count; i++)
		profile->locations[i] =
			(struct profile_location){.mapping = locations[i][0], .address = locations[i][1]};
	asked = 0;
	resolve_result = 0;
	return profile;
}

static void test_profile_symbolize_asks_by_file_offset_and_copies_lines(void **state)
{
	static const u64 locations[][2] = {{0, 0x400234}, {1, 0x700111}};
	struct profile *profile = bare_profile(locations, 2);
	const struct profile_location *location = &profile->locations[0];

	(void)state;
	assert_int_equal(profile_symbolize(profile, symbolizer), 0);
	assert_int_equal(asked, 2);
	assert_int_equal(asked_offset[0], 0x1234);
	assert_int_equal(asked_offset[1], 0x111);
	assert_int_equal(location->line_count, 2);
	assert_int_equal(location->function_offset, 0x10);
	assert_string_equal(location->lines[0].function, "inner");
	assert_string_equal(location->lines[0].file, "a.c");
	assert_int_equal(location->lines[0].line, 3);
	assert_int_equal(location->lines[0].start_line, 2);
	assert_string_equal(location->lines[1].function, "outer<int>");
	assert_string_equal(location->lines[1].system_name, "_Z5outer");
	assert_true(location->lines[1].function != program_lines[1].function);
	assert_string_equal(profile->locations[1].lines[0].function, "export");
	assert_null(profile->locations[1].lines[0].file);
	profile_free(profile);
}

/* Stacks with names begin in the program, both at the end and while recording goes on. */
static void test_profile_symbolize_hides_the_allocator_unless_it_is_to_be_shown(void **state)
{
	static const u64 locations[][2] = {{1, 0x703000}, {0, 0x400234}};

	(void)state;
	for (u32 shown = 0; shown < 2; shown++) {
		struct profile *profile = bare_profile(locations, 2);

		profile->show_allocator = shown;
		profile->samples = calloc(1, sizeof(*profile->samples));
		profile->sample_count = 1;
		profile->samples[0].depth = 2;
		profile->samples[0].location = profile_stack(profile, 2);
		profile->samples[0].location[0] = 0;
		profile->samples[0].location[1] = 1;
		assert_int_equal(profile_symbolize(profile, symbolizer), 0);
		assert_int_equal(profile->samples[0].depth, 1 + shown);
		assert_int_equal(profile->samples[0].location[0], 1 - shown);
		profile_free(profile);
	}
}

static void test_profile_symbolize_flags_tell_what_every_location_has(void **state)
{
	static const u64 locations[][2] = {{0, 0x400234}, {0, 0x400235}, {1, 0x700111}, {2, 0x900000}};
	struct profile *profile = bare_profile(locations, 4);

	(void)state;
	assert_int_equal(profile_symbolize(profile, symbolizer), 0);
	assert_true(profile->mappings[0].has_functions && profile->mappings[0].has_filenames);
	assert_true(profile->mappings[0].has_line_numbers && profile->mappings[0].has_inline_frames);
	assert_true(profile->mappings[1].has_functions);
	assert_false(profile->mappings[1].has_filenames || profile->mappings[1].has_line_numbers);
	assert_false(profile->mappings[1].has_inline_frames);
	assert_false(profile->mappings[2].has_functions || profile->mappings[2].has_filenames);
	profile_free(profile);
}

static void test_profile_symbolize_one_unnamed_location_clears_its_mapping(void **state)
{
	static const u64 locations[][2] = {{1, 0x700111}, {1, 0x702000}};
	struct profile *profile = bare_profile(locations, 2);

	(void)state;
	assert_int_equal(profile_symbolize(profile, symbolizer), 0);
	assert_int_equal(profile->locations[0].line_count, 1);
	assert_int_equal(profile->locations[1].line_count, 0);
	assert_false(profile->mappings[1].has_functions);
	assert_false(profile->mappings[0].has_functions); /* no location in it at all */
	profile_free(profile);
}

static void test_profile_symbolize_without_file_or_mapping_asks_nothing(void **state)
{
	static const u64 locations[][2] = {{2, 0x900010}, {MAPPING_UNKNOWN, 0x10}};
	struct profile *profile = bare_profile(locations, 2);

	(void)state;
	assert_int_equal(profile_symbolize(profile, symbolizer), 0);
	assert_int_equal(asked, 0);
	assert_int_equal(profile->locations[0].line_count, 0);
	profile_free(profile);
}

static void test_profile_symbolize_names_generated_code_by_the_perf_map_of_its_root(void **state)
{
	static const u64 locations[][2] = {{2, 0x900010}, {MAPPING_UNKNOWN, 0x10}, {2, 0x900000}, {1, 0x702000}};
	struct profile *profile = bare_profile(locations, 4);
	struct root_fs root = {.inner_pid = 9, .uid = geteuid()};

	assert_int_equal(scratch_setup(state), 0);
	assert_int_equal(mkdir("tmp", 0700), 0);
	scratch_file("tmp/perf-9.map", "900008 10 js f /a.js:1\n8 10 low\n702000 10 beside a file\n", 0600);
	root.fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	profile->root = &root;
	assert_int_equal(profile_symbolize(profile, symbolizer), 0);
	assert_null(asked_root); /* no longer */
	assert_null(profile->perf_map_refused);
	assert_int_equal(profile->locations[0].line_count, 1);
	assert_string_equal(profile->locations[0].lines[0].function, "js f /a.js:1");
	assert_int_equal(profile->locations[0].function_offset, 8);
	assert_string_equal(profile->locations[1].lines[0].function, "low");
	assert_int_equal(profile->locations[2].line_count, 0);
	assert_int_equal(profile->locations[3].line_count, 0);
	root_fs_close(&root);
	profile_free(profile);
	assert_int_equal(scratch_teardown(state), 0);
}

static void test_profile_symbolize_twice_replaces_names(void **state)
{
	static const u64 locations[][2] = {{0, 0x400234}};
	struct profile *profile = bare_profile(locations, 1);

	(void)state;
	assert_int_equal(profile_symbolize(profile, symbolizer), 0);
	assert_int_equal(profile_symbolize(profile, symbolizer), 0);
	assert_int_equal(profile->locations[0].line_count, 2);
	profile_free(profile);
}

static void test_profile_symbolize_error_is_passed_on(void **state)
{
	static const u64 locations[][2] = {{0, 0x400234}};
	struct profile *profile = bare_profile(locations, 1);

	(void)state;
	resolve_result = -ENOMEM;
	assert_int_equal(profile_symbolize(profile, symbolizer), -ENOMEM);
	profile_free(profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profile_symbolize_asks_by_file_offset_and_copies_lines),
		cmocka_unit_test(test_profile_symbolize_hides_the_allocator_unless_it_is_to_be_shown),
		cmocka_unit_test(test_profile_symbolize_flags_tell_what_every_location_has),
		cmocka_unit_test(test_profile_symbolize_one_unnamed_location_clears_its_mapping),
		cmocka_unit_test(test_profile_symbolize_without_file_or_mapping_asks_nothing),
		cmocka_unit_test(test_profile_symbolize_names_generated_code_by_the_perf_map_of_its_root),
		cmocka_unit_test(test_profile_symbolize_twice_replaces_names),
		cmocka_unit_test(test_profile_symbolize_error_is_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
