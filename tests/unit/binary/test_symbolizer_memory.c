/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbolizer.c over time: what it remembers of files, drops and forgets. */
#include <malloc.h>
#include <sys/resource.h>

#include "symbol_object.h"

static void test_symbol_asked_twice_answers_from_memory(void **state)
{
	struct symbol_frame first, second;
	struct object object;
	u64 offset;

	(void)state;
	build("gcc -g", "inlined.c", "inlined.so");
	object = object_open("inlined.so");
	offset = mark_offset(&object, "inlined.so", "mark_inner");
	first = resolve(&object, offset);
	second = resolve(&object, offset);
	assert_ptr_equal(first.lines, second.lines);
	object_close(&object);
}

static size_t allocated(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void test_symbol_of_dropped_files_keeps_answers_and_finds_new_ones(void **state)
{
	struct symbol_frame inner, outer;
	struct object object;

	(void)state;
	build("gcc -g", "inlined.c", "inlined.so");
	object = object_open("inlined.so");
	inner = resolve(&object, mark_offset(&object, "inlined.so", "mark_inner"));
	for (int i = 0; i < 2; i++) {
		symbolizer_trim(object.symbolizer, 0);
		assert_line(&inner.lines[0], "inner", "/src/inner.h", 103, 100);
		assert_line(&inner.lines[2], "outer", "/src/inlined.c", 214, 211);
		assert_ptr_equal(resolve(&object, mark_offset(&object, "inlined.so", "mark_inner")).lines, inner.lines);
	}
	outer = resolve(&object, mark_offset(&object, "inlined.so", "mark_outer"));
	assert_int_equal(outer.line_count, 1);
	assert_line(&outer.lines[0], "outer", "/src/inlined.c", 215, 211);
	assert_ptr_equal(outer.lines[0].file, inner.lines[2].file);
	object_close(&object);
}

/* Sections that pack a thousand times are not unpacked: the names come from the symbols. */
static void test_symbol_of_file_whose_sections_unpack_to_very_much_is_the_symbol(void **state)
{
	struct rusage before, after;
	struct symbol_frame frame;
	struct object object;
	u64 offset;

	(void)state;
	build("gcc -g", "inlined.c", "inlined.so");
	run("truncate -s 200M zeros && objcopy --update-section .debug_str=zeros inlined.so large.so && "
	    "objcopy --compress-debug-sections=zlib-gabi large.so bomb.so && rm zeros large.so");
	object = object_open("bomb.so");
	offset = mark_offset(&object, "inlined.so", "mark_outer");
	getrusage(RUSAGE_SELF, &before);
	frame = resolve(&object, offset);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(frame.line_count, 1);
	assert_string_equal(frame.lines[0].function, "outer");
	assert_null(frame.lines[0].file);
	assert_true(after.ru_maxrss - before.ru_maxrss < 64 << 10);
	object_close(&object);
}

/* Three thousand units with one list of twenty thousand ranges: 480 KB that say 1.4 GB. */
static void test_symbol_of_file_whose_units_share_a_long_list_takes_little_memory(void **state)
{
	struct rusage before, after;
	struct object object;
	u64 offset;

	(void)state;
	run("printf '%%s\\n' '.section .debug_abbrev' '.byte 1, 0x11, 0, 0x55, 0x17, 0x11, 1, 0, 0, 0' "
	    "'.section .debug_info' '.rept 3000' '.long 20' '.value 4' '.long 0' '.byte 8, 1' '.long 0' '.quad 0' '.endr' "
	    "'.section .debug_ranges' '.rept 20000' '.quad 0x1000, 0x1010' '.endr' '.quad 0, 0' > shared.s && "
	    "gcc -c shared.s");
	build("gcc shared.o", "inlined.c", "shared.so");
	object = object_open("shared.so");
	offset = mark_offset(&object, "shared.so", "mark_outer");
	getrusage(RUSAGE_SELF, &before);
	assert_int_equal(resolve(&object, offset).line_count, 1);
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < 64 << 10);
	object_close(&object);
}

/* A file without DWARF has symbols to be read again. */
static void test_symbol_of_dropped_file_without_dwarf_reads_symbols_again(void **state)
{
	struct symbol_frame frame;
	struct object object;

	(void)state;
	build("gcc", "inlined.c", "plain.so");
	object = object_open("plain.so");
	resolve(&object, mark_offset(&object, "plain.so", "mark_inner"));
	symbolizer_trim(object.symbolizer, 0);
	frame = resolve(&object, mark_offset(&object, "plain.so", "mark_hidden"));
	assert_symbol_only(&frame, "hidden");
	object_close(&object);
}

/* Its strings are padded to 16 MiB. Allocators of sanitizers do not say what they have. */
static void test_symbol_of_dropped_file_leaves_none_of_its_memory(void **state)
{
	struct object object;
	size_t before, read;
	u64 offset;

	(void)state;
	run("gcc -O2 -shared -fPIC -g -o big.so %s/tests/fixture/inlined.c && "
	    "head -c 16M /dev/zero >zeros && objcopy --dump-section .debug_str=strings big.so && "
	    "cat strings zeros >longer && objcopy --update-section .debug_str=longer big.so",
	    SOURCE_DIR);
	object = object_open("big.so");
	offset = mark_offset(&object, "big.so", "mark_inner");
	before = allocated();
	assert_int_equal(resolve(&object, offset).line_count, 3);
	read = allocated();
	symbolizer_trim(object.symbolizer, 0);
	if (read != before) {
		assert_true(read - before > 16 << 20);
		assert_true(allocated() < before + (64 << 10));
	}
	object_close(&object);
}

/* While new addresses are asked for, a small file stays; then it goes. A large one goes at once. */
static void test_symbol_of_file_that_is_asked_for_new_addresses_stays_read(void **state)
{
	struct object object;

	(void)state;
	build("gcc -g", "inlined.c", "inlined.so");
	object = object_open("inlined.so");
	resolve(&object, mark_offset(&object, "inlined.so", "mark_inner"));
	assert_false(symbolizer_trim(object.symbolizer, SYMBOLS_BYTES_MAX));
	resolve(&object, mark_offset(&object, "inlined.so", "mark_outer"));
	assert_false(symbolizer_trim(object.symbolizer, SYMBOLS_BYTES_MAX));
	resolve(&object, mark_offset(&object, "inlined.so", "mark_outer"));
	assert_true(symbolizer_trim(object.symbolizer, SYMBOLS_BYTES_MAX));
	assert_false(symbolizer_trim(object.symbolizer, SYMBOLS_BYTES_MAX));
	resolve(&object, mark_offset(&object, "inlined.so", "mark_hidden"));
	assert_true(symbolizer_trim(object.symbolizer, 1000));
	object_close(&object);
}

/* The same build under another name: it was found to need no look of its own. */
static void test_symbol_of_forgotten_file_is_found_again_and_in_its_twin(void **state)
{
	struct object object, twin;
	struct symbolizer *own;
	u64 offset;

	(void)state;
	build("gcc -g -Wl,--build-id", "inlined.c", "inlined.so");
	run("cp inlined.so twin.so");
	object = object_open("inlined.so");
	twin = object_open("twin.so");
	own = twin.symbolizer;
	twin.symbolizer = object.symbolizer;
	offset = mark_offset(&object, "inlined.so", "mark_inner");
	resolve(&object, offset);
	assert_ptr_equal(resolve(&twin, offset).lines, resolve(&object, offset).lines);
	symbolizer_forget(object.symbolizer, object.elf);
	symbolizer_forget(object.symbolizer, object.elf);
	elf_free(object.elf);
	object.elf = NULL;
	assert_line(&resolve(&twin, offset).lines[0], "inner", "/src/inner.h", 103, 100);
	symbolizer_forget(object.symbolizer, twin.elf);
	assert_line(&resolve(&twin, offset).lines[0], "inner", "/src/inner.h", 103, 100);
	object_close(&object);
	twin.symbolizer = own;
	object_close(&twin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symbol_asked_twice_answers_from_memory),
		cmocka_unit_test(test_symbol_of_dropped_files_keeps_answers_and_finds_new_ones),
		cmocka_unit_test(test_symbol_of_file_whose_sections_unpack_to_very_much_is_the_symbol),
		cmocka_unit_test(test_symbol_of_file_whose_units_share_a_long_list_takes_little_memory),
		cmocka_unit_test(test_symbol_of_dropped_file_without_dwarf_reads_symbols_again),
		cmocka_unit_test(test_symbol_of_file_that_is_asked_for_new_addresses_stays_read),
		cmocka_unit_test(test_symbol_of_dropped_file_leaves_none_of_its_memory),
		cmocka_unit_test(test_symbol_of_forgotten_file_is_found_again_and_in_its_twin),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
