/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbolizer.c with debug_file.c: names that dwz -m moved into a file that several share. */
#include "stripped_root.h"

/* shrunk.so like whole.so, but for what is in common.debug, which is called `name` in it. */
static void shrink(const char *name)
{
	run("cp whole.so shrunk.so && cp whole.so twin.so && dwz -m common.debug -M %s shrunk.so twin.so", name);
}

static void assert_own_names_alone(const char *path)
{
	struct found found = look_up(path, "mark_inner");

	assert_int_equal(found.count, 1);
	assert_string_equal(found.function, "outer");
	assert_true(found.has_file);
}

static void test_alternate_file_of_an_absolute_path_is_found_below_the_root(void **state)
{
	(void)state;
	shrink("/app/common.debug");
	assert_own_names_alone("/shrunk.so");
	run("mv common.debug app");
	assert_all_lines("/shrunk.so");
}

static void test_alternate_file_of_a_relative_path_is_found_from_the_file(void **state)
{
	(void)state;
	shrink("../common.debug");
	run("mv shrunk.so app");
	assert_all_lines("/app/shrunk.so");
}

static void test_alternate_file_of_the_distribution_is_found_by_name(void **state)
{
	(void)state;
	shrink("../../../../.dwz/common.debug");
	run("mkdir usr/lib/debug/.dwz && mv common.debug usr/lib/debug/.dwz");
	assert_all_lines("/shrunk.so");
}

static void test_alternate_file_is_found_by_build_id(void **state)
{
	(void)state;
	shrink("/nowhere/common.debug");
	run("id=$(readelf -n common.debug | awk '/Build ID/ { print $3 }') && rest=${id#??} && "
	    "place=usr/lib/debug/.build-id/${id%%$rest} && mkdir -p $place && mv common.debug $place/$rest.debug");
	assert_all_lines("/shrunk.so");
}

static void test_alternate_file_of_a_separate_debug_file_is_found(void **state)
{
	(void)state;
	shrink("/app/common.debug");
	run("mv common.debug app && objcopy --only-keep-debug shrunk.so names.debug && "
	    "objcopy --add-gnu-debuglink=names.debug stripped.so app/linked.so && mv names.debug app");
	assert_all_lines("/app/linked.so");
}

static void test_alternate_file_is_asked_of_a_server(void **state)
{
	char urls[PATH_MAX + 16], cache[PATH_MAX + 16];

	(void)state;
	shrink("/nowhere/common.debug");
	run("id=$(readelf -n common.debug | awk '/Build ID/ { print $3 }') && mkdir -p server/buildid/$id && "
	    "mv common.debug server/buildid/$id/debuginfo");
	snprintf(urls, sizeof(urls), "file://%s/server", scratch_path);
	snprintf(cache, sizeof(cache), "%s/cache", scratch_path);
	setenv("DEBUGINFOD_URLS", urls, 1);
	setenv("DEBUGINFOD_CACHE_PATH", cache, 1);
	assert_all_lines("/shrunk.so");
	unsetenv("DEBUGINFOD_URLS");
}

static void test_alternate_file_of_another_build_is_refused(void **state)
{
	(void)state;
	shrink("/app/common.debug");
	run("echo 'int outer(int some) { return some; }' > other.c && gcc -g -O2 -shared -o other.so other.c && "
	    "cp other.so more.so && dwz -m app/common.debug other.so more.so");
	assert_own_names_alone("/shrunk.so");
}

/* If the FIFO is opened, the test hangs and the alarm ends it. */
static void test_alternate_file_that_is_no_regular_file_is_not_opened(void **state)
{
	(void)state;
	alarm(60);
	shrink("/app/common.debug");
	run("mkfifo app/common.debug");
	assert_own_names_alone("/shrunk.so");
	alarm(0);
}

static void test_alternate_file_that_is_missing_is_said_once(void **state)
{
	struct symbolizer *symbolizer = symbolizer_new();
	struct symbol_frame frame;
	struct elf *elf[2];

	(void)state;
	shrink("/app/common.debug");
	run("objcopy -R .note.gnu.build-id twin.so");
	elf[0] = open_elf("/shrunk.so");
	elf[1] = open_elf("/twin.so");
	assert_null(symbolizer_complaint(symbolizer, 0));
	for (int i = 0; i < 4; i++)
		assert_int_equal(symbolizer_resolve(symbolizer, elf[i % 2], mark_offset("mark_inner"), &frame), 0);
	assert_string_equal(symbolizer_complaint(symbolizer, 0),
			    "'/shrunk.so' and 1 more file: the debug file that has what several share (dwz -m, "
			    ".gnu_debugaltlink) is not there");
	assert_null(symbolizer_complaint(symbolizer, 1));
	symbolizer_free(symbolizer);
	elf_free(elf[0]);
	elf_free(elf[1]);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_alternate_file_of_an_absolute_path_is_found_below_the_root),
		CASE(test_alternate_file_of_a_relative_path_is_found_from_the_file),
		CASE(test_alternate_file_of_the_distribution_is_found_by_name),
		CASE(test_alternate_file_is_found_by_build_id),
		CASE(test_alternate_file_of_a_separate_debug_file_is_found),
		CASE(test_alternate_file_is_asked_of_a_server),
		CASE(test_alternate_file_of_another_build_is_refused),
		CASE(test_alternate_file_that_is_no_regular_file_is_not_opened),
		CASE(test_alternate_file_that_is_missing_is_said_once),
	};

	unsetenv("DEBUGINFOD_URLS");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
