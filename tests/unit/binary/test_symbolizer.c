/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * symbolizer.c with dwarf.c and elf_symbols.c behind it, on shared objects that the compiler makes of tests/fixture here and
 * now, in the forms in which programs come: several DWARF versions, compressed, split, stripped, damaged.
 */
#include <elfutils/version.h>

#include "symbol_object.h"

static void check_inlined(const char *compiler)
{
	struct symbol_frame frame, middle, outer;
	struct object object;

	print_message("           %s\n", compiler);
	build(compiler, "inlined.c", "inlined.so");
	object = object_open("inlined.so");
	frame = resolve(&object, mark_offset(&object, "inlined.so", "mark_inner"));
	assert_int_equal(frame.line_count, 3);
	assert_line(&frame.lines[0], "inner", "/src/inner.h", 103, 100);
	assert_line(&frame.lines[1], "middle", "/src/inlined.c", 202, 200);
	assert_line(&frame.lines[2], "outer", "/src/inlined.c", 214, 211);
	middle = resolve(&object, mark_offset(&object, "inlined.so", "mark_middle"));
	assert_int_equal(middle.line_count, 2);
	assert_line(&middle.lines[0], "middle", "/src/inlined.c", 203, 200);
	outer = resolve(&object, mark_offset(&object, "inlined.so", "mark_outer"));
	assert_int_equal(outer.line_count, 1);
	assert_line(&outer.lines[0], "outer", "/src/inlined.c", 215, 211);
	object_close(&object);
}

static void test_symbol_in_inlined_code_yields_the_chain_innermost_first(void **state)
{
	(void)state;
	check_inlined("gcc -gdwarf-5");
	check_inlined("gcc -gdwarf-4");
	check_inlined("gcc -g -gz=zlib");
	check_inlined("gcc -g -flto");
	check_inlined("clang -gdwarf-5");
	check_inlined("clang -gdwarf-4");
}

static void test_symbol_function_offset_counts_from_the_physical_function(void **state)
{
	struct object object;
	u64 outer;

	(void)state;
	build("gcc -g", "inlined.c", "inlined.so");
	object = object_open("inlined.so");
	outer = mark_offset(&object, "inlined.so", "outer");
	assert_int_equal(resolve(&object, outer).function_offset, 0);
	assert_int_equal(resolve(&object, mark_offset(&object, "inlined.so", "mark_inner")).function_offset,
			 mark_offset(&object, "inlined.so", "mark_inner") - outer);
	object_close(&object);
}

static void test_symbol_without_dwarf_yields_the_name_in_symtab(void **state)
{
	struct symbol_frame frame;
	struct object object;
	u64 hidden;

	(void)state;
	build("gcc", "inlined.c", "plain.so");
	object = object_open("plain.so");
	frame = resolve(&object, mark_offset(&object, "plain.so", "mark_inner"));
	assert_symbol_only(&frame, "outer");
	hidden = mark_offset(&object, "plain.so", "mark_hidden");
	frame = resolve(&object, hidden);
	assert_symbol_only(&frame, "hidden");
	assert_int_equal(frame.function_offset, hidden - mark_offset(&object, "plain.so", "hidden"));
	object_close(&object);
}

static void test_symbol_of_stripped_file_yields_exported_names_and_nothing_beyond_their_ends(void **state)
{
	struct symbol_frame frame;
	struct object object;

	(void)state;
	build("gcc", "inlined.c", "plain.so");
	run("strip -o stripped.so plain.so");
	object = object_open("stripped.so");
	frame = resolve(&object, mark_offset(&object, "plain.so", "mark_inner"));
	assert_symbol_only(&frame, "outer");
	frame = resolve(&object, mark_offset(&object, "plain.so", "mark_hidden"));
	assert_int_equal(frame.line_count, 0);
	object_close(&object);
}

static void test_symbol_outside_the_code_yields_nothing(void **state)
{
	struct object object;

	(void)state;
	build("gcc -g", "inlined.c", "inlined.so");
	object = object_open("inlined.so");
	assert_int_equal(resolve(&object, 0).line_count, 0);
	assert_int_equal(resolve(&object, UINT64_MAX).line_count, 0);
	object_close(&object);
}

static void check_names(const char *compiler, bool inlines)
{
	struct symbol_frame frame;
	struct object object;

	build(compiler, "names.cc", "names.so");
	object = object_open("names.so");
	frame = resolve(&object, mark_offset(&object, "names.so", "mark_int"));
	assert_string_equal(frame.lines[0].function, "ns::make(int)");
	assert_string_equal(frame.lines[0].system_name, "_ZN2ns4makeEi");
	frame = resolve(&object, mark_offset(&object, "names.so", "mark_text"));
	assert_string_equal(frame.lines[0].function, "ns::make(char const*)");
	frame = resolve(&object, mark_offset(&object, "names.so", "mark_template"));
	assert_string_equal(frame.lines[0].function, "int ns::fill<long>(long)");
	frame = resolve(&object, mark_offset(&object, "names.so", "mark_method"));
	assert_int_equal(frame.line_count, inlines ? 2 : 1);
	assert_string_equal(frame.lines[0].function, inlines ? "ns::widget::size() const" : "ns::make(int)");
	object_close(&object);
}

static void test_symbol_of_cxx_function_is_demangled(void **state)
{
	(void)state;
	check_names("g++ -g", true);
	check_names("clang++ -g", true);
	check_names("g++", false);
}

/* Sections .zdebug_..., as tools wrote them before SHF_COMPRESSED, Go's until 1.18. */
static void test_symbol_of_sections_packed_the_old_way_is_whole(void **state)
{
	struct symbol_frame frame;
	struct object object;

	(void)state;
	build("gcc -g", "inlined.c", "inlined.so");
	run("objcopy --compress-debug-sections=zlib-gnu inlined.so packed.so && readelf -S -W packed.so | grep -q zdebug_info");
	object = object_open("packed.so");
	frame = resolve(&object, mark_offset(&object, "inlined.so", "mark_inner"));
	assert_int_equal(frame.line_count, 3);
	assert_line(&frame.lines[0], "inner", "/src/inner.h", 103, 100);
	object_close(&object);
}

/* libelf knows zstd from 0.189 on. */
static void test_symbol_of_sections_packed_by_zstd_is_whole_or_said_to_be_the_symbol(void **state)
{
	struct symbol_frame frame;
	struct object object;

	(void)state;
	build("gcc -g", "inlined.c", "inlined.so");
	run("objcopy --compress-debug-sections=zstd inlined.so packed.so");
	object = object_open("packed.so");
	frame = resolve(&object, mark_offset(&object, "inlined.so", "mark_inner"));
#if _ELFUTILS_PREREQ(0, 189)
	assert_int_equal(frame.line_count, 3);
	assert_null(symbolizer_complaint(object.symbolizer, 0));
#else
	assert_symbol_only(&frame, "outer");
	assert_string_equal(symbolizer_complaint(object.symbolizer, 0),
			    "'./packed.so': its debug information is packed in a way that this libelf does not know "
			    "(zstd needs 0.189)");
#endif
	object_close(&object);
}

static void write_damaged(const u8 *image, size_t size)
{
	FILE *out = fopen("damaged.so", "we");

	assert_non_null(out);
	assert_int_equal(fwrite(image, 1, size, out), size);
	assert_int_equal(fclose(out), 0);
}

/* Nothing to compare: the sanitizers and the return values judge. */
static void test_symbol_of_damaged_file_never_fails(void **state)
{
	static u8 image[1 << 16], damaged[sizeof(image)];
	struct object object;
	unsigned int seed = 1;
	u64 offset;
	size_t size;
	FILE *in;

	(void)state;
	build("gcc -g", "inlined.c", "inlined.so");
	object = object_open("inlined.so");
	offset = mark_offset(&object, "inlined.so", "mark_inner");
	object_close(&object);
	in = fopen("inlined.so", "re");
	assert_non_null(in);
	size = fread(image, 1, sizeof(image), in);
	fclose(in);
	for (int round = 0; round < 400; round++) {
		int fd;

		memcpy(damaged, image, size);
		for (int i = 0; i < 20; i++)
			damaged[4096 + rand_r(&seed) % (size - 4096)] = rand_r(&seed);
		write_damaged(damaged, round % 4 ? size : size - rand_r(&seed) % size);
		snprintf(object.path, sizeof(object.path), "./damaged.so");
		fd = open(object.path, O_RDONLY | O_CLOEXEC);
		if (elf_open(fd, object.path, &object.elf))
			continue;
		object.symbolizer = symbolizer_new();
		for (u64 at = offset - 40; at < offset + 40; at += 8)
			assert_in_range(resolve(&object, at).line_count, 0, 65);
		object_close(&object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symbol_in_inlined_code_yields_the_chain_innermost_first),
		cmocka_unit_test(test_symbol_function_offset_counts_from_the_physical_function),
		cmocka_unit_test(test_symbol_without_dwarf_yields_the_name_in_symtab),
		cmocka_unit_test(test_symbol_of_stripped_file_yields_exported_names_and_nothing_beyond_their_ends),
		cmocka_unit_test(test_symbol_outside_the_code_yields_nothing),
		cmocka_unit_test(test_symbol_of_cxx_function_is_demangled),
		cmocka_unit_test(test_symbol_of_sections_packed_the_old_way_is_whole),
		cmocka_unit_test(test_symbol_of_sections_packed_by_zstd_is_whole_or_said_to_be_the_symbol),
		cmocka_unit_test(test_symbol_of_damaged_file_never_fails),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
