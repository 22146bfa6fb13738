/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.c and report_difference.c: recordings with profiles of mappings, beside a heap's or alone. */
#include "unit/cli/report_scene.h"
#include "unit/profile/mapped_profile.h"

#define NAME "77.mapper.pb.gz"

/* A process that has samples too, or of one that has mappings alone. */
static void record_mapper(bool samples)
{
	struct profile heap = one(77, "mapper"), regions = mapped_profile();

	heap.exe = regions.exe;
	heap.regions = &regions;
	if (!samples)
		heap.sample_count = 0;
	record((const struct profile *const[]){&heap}, 1, true);
}

static const char *in_scratch(const char *name)
{
	static char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", scratch_path, name);
	return path;
}

static void test_report_of_a_process_shows_its_mappings_below_its_heap(void **state)
{
	const char *heap, *mappings;

	(void)state;
	record_mapper(true);
	assert_int_equal(report(scratch_path), STATUS_DONE);
	assert_string_equal(errors.text, "");
	heap = strstr(output.text, "Sites by bytes in use");
	mappings = strstr(output.text, "\nMappings: what system calls mapped\n");
	assert_true(heap && mappings > heap);
	assert_null(strstr(mappings + 1, "\nMappings: "));
	assert_contains(mappings, "207  mapping_calls");
}

static void test_report_of_mappings_alone_shows_them(void **state)
{
	(void)state;
	record_mapper(false);
	assert_false(scratch_has(NAME));
	assert_int_equal(report(scratch_path), STATUS_DONE);
	assert_string_equal(errors.text, "");
	assert_golden(output.text, "mapped.report");
	assert_int_equal(report(in_scratch("mappings/" NAME)), STATUS_DONE);
	assert_golden(output.text, "mapped.report");
	assert_int_equal(report(in_scratch("mappings")), STATUS_DONE);
	assert_golden(output.text, "mapped.report");
}

static void test_report_of_mappings_beside_other_processes_shows_each_once(void **state)
{
	struct profile first = one(7, "first"), empty = one(77, "mapper"), regions = mapped_profile();

	(void)state;
	empty.sample_count = 0;
	empty.regions = &regions;
	record((const struct profile *const[]){&empty, &first}, 2, true);
	assert_int_equal(report(scratch_path), STATUS_DONE);
	assert_contains(output.text, "7 first ");
	assert_contains(output.text, "\n\n77 mapper ");
}

/* Their bytes are of another kind: nothing adds them to a heap's. */
static void test_report_in_other_formats_names_where_mappings_are(void **state)
{
	(void)state;
	record_mapper(false);
	assert_int_equal(report_as(scratch_path, REPORT_FOLDED, INUSE_SPACE), STATUS_DONE);
	assert_string_equal(output.text, "");
	assert_contains(errors.text, "for what system calls mapped, report '");
	assert_int_equal(report_as(in_scratch("mappings"), REPORT_FOLDED, INUSE_SPACE), STATUS_DONE);
	assert_contains(output.text, "main;map_cache 9437184\n");
	assert_contains(output.text, "main;[allocator] 67108864\n");
}

static void test_report_of_mappings_has_no_ages(void **state)
{
	(void)state;
	record_mapper(false);
	assert_int_equal(report_with((struct report_options){.path = in_scratch("mappings/" NAME), .lifetimes = true}),
			 STATUS_FAILED);
	assert_contains(errors.text, "report it without '--lifetimes'");
	assert_int_equal(report_with((struct report_options){.path = in_scratch("mappings/" NAME), .older_s = 1}),
			 STATUS_FAILED);
	assert_contains(errors.text, "report it without '--older-than'");
}

static void test_report_difference_is_of_two_profiles_of_a_kind(void **state)
{
	char *mappings;

	(void)state;
	record_mapper(true);
	mappings = strdup(in_scratch("mappings/" NAME));
	assert_int_equal(report_with((struct report_options){.path = mappings, .base = mappings}), STATUS_DONE);
	assert_contains(output.text, "Sites by change of what is mapped, ");
	assert_contains(output.text, "unmapped");
	assert_null(strstr(output.text, "in use"));
	assert_int_equal(report_with((struct report_options){.path = in_scratch(NAME), .base = mappings}),
			 STATUS_FAILED);
	assert_contains(errors.text, "compare two of a kind");
	free(mappings);
	record_mapper(false);
	assert_int_equal(report_with((struct report_options){.path = scratch_path, .base = scratch_path}),
			 STATUS_NO_TARGET);
	assert_contains(errors.text, "for what system calls mapped, compare '");
}

static void test_report_page_of_mappings_is_refused(void **state)
{
	char *html = strdup(in_scratch("page.html"));

	(void)state;
	record_mapper(true);
	assert_int_equal(report_with((struct report_options){.path = in_scratch("mappings/" NAME), .html = html}),
			 STATUS_FAILED);
	assert_contains(errors.text, "is a profile of mappings, which 'heaptap report' shows");
	assert_false(scratch_has("page.html"));
	free(html);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report_of_a_process_shows_its_mappings_below_its_heap),
		cmocka_unit_test(test_report_of_mappings_alone_shows_them),
		cmocka_unit_test(test_report_of_mappings_beside_other_processes_shows_each_once),
		cmocka_unit_test(test_report_in_other_formats_names_where_mappings_are),
		cmocka_unit_test(test_report_of_mappings_has_no_ages),
		cmocka_unit_test(test_report_difference_is_of_two_profiles_of_a_kind),
		cmocka_unit_test(test_report_page_of_mappings_is_refused),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
