/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbolizer.c with debug_file.c: names in a separate debug file, found by build id or by link. */
#include "stripped_root.h"

#include "binary/debug_file.h"

/* Put `source` where the build id of stripped.so leads. */
static void install(const char *how, const char *source)
{
	run("id=$(readelf -n stripped.so | awk '/Build ID/ { print $3 }') && rest=${id#??} && "
	    "place=usr/lib/debug/.build-id/${id%%$rest} && mkdir -p $place && %s %s $place/$rest.debug",
	    how, source);
}

static void test_debug_file_found_by_build_id_yields_inlined_lines(void **state)
{
	(void)state;
	assert_nothing("/stripped.so");
	install("cp", "names.debug");
	assert_all_lines("/stripped.so");
}

static void test_debug_file_behind_a_link_inside_the_root_is_found(void **state)
{
	(void)state;
	install("ln -s", "/names.debug");
	assert_all_lines("/stripped.so");
}

static void test_debug_file_without_dwarf_yields_its_symbols(void **state)
{
	struct found found;

	(void)state;
	run("strip -g -o symbols.debug names.debug");
	install("cp", "symbols.debug");
	found = look_up("/stripped.so", "mark_hidden");
	assert_int_equal(found.count, 1);
	assert_string_equal(found.function, "hidden");
}

static void test_debug_file_of_a_program_is_opened_although_its_interpreter_is_missing(void **state)
{
	struct elf *program, *debug;

	(void)state;
	run("echo 'int main(void) { return 0; }' > main.c && gcc -g -o main main.c && "
	    "objcopy --only-keep-debug main main.debug && objcopy -S --add-gnu-debuglink=main.debug main app/main && "
	    "mv main.debug app");
	program = open_elf("/app/main");
	assert_int_equal(debug_file_find(program, &root, &debug), 0);
	elf_free(debug);
	elf_free(program);
}

static void test_debug_file_of_another_build_is_refused(void **state)
{
	(void)state;
	run("echo 'int other;' > other.c && gcc -g -shared -Wl,--build-id -o other.so other.c && "
	    "objcopy --only-keep-debug other.so other.debug");
	install("cp", "other.debug");
	assert_nothing("/stripped.so");
}

static void link_debug(const char *place)
{
	run("objcopy --add-gnu-debuglink=names.debug stripped.so app/linked.so && mkdir -p %s && mv names.debug %s",
	    place, place);
}

static void test_debug_file_found_by_link_in_all_three_places(void **state)
{
	(void)state;
	link_debug("app");
	assert_all_lines("/app/linked.so");
	run("mkdir app/.debug && mv app/names.debug app/.debug");
	assert_all_lines("/app/linked.so");
	run("mkdir -p usr/lib/debug/app && mv app/.debug/names.debug usr/lib/debug/app");
	assert_all_lines("/app/linked.so");
	run("rm usr/lib/debug/app/names.debug");
	assert_nothing("/app/linked.so");
}

static void test_debug_file_found_by_link_with_another_checksum_is_refused(void **state)
{
	(void)state;
	link_debug("app");
	run("printf x >> app/names.debug");
	assert_nothing("/app/linked.so");
}

static void test_debug_file_without_build_ids_is_told_by_its_checksum(void **state)
{
	(void)state;
	run("for file in stripped.so names.debug; do objcopy -R .note.gnu.build-id $file; done");
	link_debug("app");
	assert_all_lines("/app/linked.so");
}

static void test_debug_file_link_with_a_path_is_refused(void **state)
{
	(void)state;
	run("cp names.debug app/xnames.debug && cp names.debug names.xdebug && "
	    "objcopy --add-gnu-debuglink=app/xnames.debug stripped.so app/linked.so && "
	    "sed -i 's,xnames.debug,../names.deb,' app/linked.so && cp names.debug names.deb");
	assert_nothing("/app/linked.so");
}

/* If the FIFO is opened, the test hangs and the alarm ends it. */
static void test_debug_file_that_is_no_regular_file_is_not_opened(void **state)
{
	(void)state;
	alarm(60);
	link_debug("away");
	run("mkfifo app/names.debug && mkdir -p app/.debug/names.debug");
	install("mkfifo", "");
	assert_nothing("/app/linked.so");
	alarm(0);
}

static void test_debug_file_behind_a_link_out_of_the_root_is_not_found(void **state)
{
	char outside[] = P_tmpdir "/heaptap-outside-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(outside));
	run("cp names.debug %s", outside);
	link_debug("away");
	run("ln -s %s/names.debug app/names.debug && ln -s ../../../../../../../..%s app/.debug", outside, outside);
	assert_nothing("/app/linked.so");
	run("rm -r %s", outside);
}

static void test_debug_file_of_the_same_build_is_read_once_for_all_copies(void **state)
{
	struct symbolizer *symbolizer = symbolizer_new();
	struct elf *first = open_elf("/stripped.so"), *second;
	struct symbol_frame of_first, of_second;
	u64 offset = mark_offset("mark_inner");

	(void)state;
	install("cp", "names.debug");
	run("cp stripped.so app/copy.so");
	second = open_elf("/app/copy.so");
	symbolizer_set_root(symbolizer, &root);
	assert_int_equal(symbolizer_resolve(symbolizer, first, offset, &of_first), 0);
	assert_int_equal(symbolizer_resolve(symbolizer, second, offset, &of_second), 0);
	assert_int_equal(of_first.line_count, 3);
	assert_ptr_equal(of_first.lines, of_second.lines);
	symbolizer_free(symbolizer);
	elf_free(first);
	elf_free(second);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_debug_file_found_by_build_id_yields_inlined_lines),
		CASE(test_debug_file_behind_a_link_inside_the_root_is_found),
		CASE(test_debug_file_without_dwarf_yields_its_symbols),
		CASE(test_debug_file_of_a_program_is_opened_although_its_interpreter_is_missing),
		CASE(test_debug_file_of_another_build_is_refused),
		CASE(test_debug_file_found_by_link_in_all_three_places),
		CASE(test_debug_file_found_by_link_with_another_checksum_is_refused),
		CASE(test_debug_file_without_build_ids_is_told_by_its_checksum),
		CASE(test_debug_file_link_with_a_path_is_refused),
		CASE(test_debug_file_that_is_no_regular_file_is_not_opened),
		CASE(test_debug_file_behind_a_link_out_of_the_root_is_not_found),
		CASE(test_debug_file_of_the_same_build_is_read_once_for_all_copies),
	};

	unsetenv("DEBUGINFOD_URLS");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
