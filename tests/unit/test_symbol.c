/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * symbol.c with debuginfo.c and symtab.c behind it, on shared objects that the compiler makes of tests/fixture here and
 * now, in the forms in which programs come: several DWARF versions, compressed, split, stripped, damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>

#include "scratch.h"
#include "shell.h"

#include "../../user/elf.h"
#include "../../user/symbol.h"

/* Compile tests/fixture/<source> with `compiler` (and its options) to <name>. */
static void build(const char *compiler, const char *source, const char *name)
{
	run("%s -O2 -shared -fPIC -o %s %s/tests/fixture/%s", compiler, name, SOURCE_DIR, source);
}

struct object {
	struct elf *elf;
	struct symbolizer *symbolizer;
	char path[128];
};

static struct object object_open(const char *name)
{
	struct object object;
	int fd;

	snprintf(object.path, sizeof(object.path), "./%s", name);
	fd = open(object.path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(elf_open(fd, object.path, &object.elf), 0);
	object.symbolizer = symbolizer_new();
	assert_non_null(object.symbolizer);
	return object;
}

static void object_close(struct object *object)
{
	symbolizer_free(object->symbolizer);
	elf_free(object->elf);
}

/* File offset of a label, from the symbols of <name>, which may be an unstripped twin of the object asked.
 */
static u64 mark_offset(const struct object *object, const char *name, const char *mark)
{
	char command[256];
	unsigned long vaddr = 0;
	u64 offset;
	FILE *out;

	snprintf(command, sizeof(command), "nm %s | awk '$3 == \"%s\" { print $1 }'", name, mark);
	out = popen(command, "re");
	assert_non_null(out);
	assert_int_equal(fscanf(out, "%lx", &vaddr), 1);
	pclose(out);
	assert_int_equal(elf_vaddr_to_offset(object->elf, vaddr, &offset), 0);
	return offset;
}

static struct symbol_frame resolve(const struct object *object, u64 offset)
{
	struct symbol_frame frame = {.line_count = 99};

	assert_int_equal(symbolizer_resolve(object->symbolizer, object->elf, offset, &frame), 0);
	return frame;
}

static void assert_line(const struct symbol_line *line, const char *function, const char *file, u32 number, u32 start)
{
	assert_string_equal(line->function, function);
	assert_string_equal(line->file, file);
	assert_int_equal(line->line, number);
	assert_int_equal(line->start_line, start);
	assert_ptr_equal(line->system_name, line->function);
}

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

static void assert_symbol_only(const struct symbol_frame *frame, const char *function)
{
	assert_int_equal(frame->line_count, 1);
	assert_string_equal(frame->lines[0].function, function);
	assert_null(frame->lines[0].file);
	assert_int_equal(frame->lines[0].line, 0);
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
		symbolizer_drop_files(object.symbolizer);
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

/* A file without DWARF has symbols to be read again. */
static void test_symbol_of_dropped_file_without_dwarf_reads_symbols_again(void **state)
{
	struct symbol_frame frame;
	struct object object;

	(void)state;
	build("gcc", "inlined.c", "plain.so");
	object = object_open("plain.so");
	resolve(&object, mark_offset(&object, "plain.so", "mark_inner"));
	symbolizer_drop_files(object.symbolizer);
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
	symbolizer_drop_files(object.symbolizer);
	if (read != before) {
		assert_true(read - before > 16 << 20);
		assert_true(allocated() < before + (64 << 10));
	}
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

/* A FIFO in the place of a file that the DWARF names: whoever opens it hangs, and the alarm ends this test. */
static void test_symbol_of_split_dwarf_opens_no_other_file_and_keeps_lines(void **state)
{
	struct symbol_frame frame;
	struct object object;

	(void)state;
	run("gcc -O2 -fPIC -g -gsplit-dwarf -c -o split.o %s/tests/fixture/inlined.c && gcc -shared -o "
	    "split.so "
	    "split.o && rm split.dwo && mkfifo split.dwo",
	    SOURCE_DIR);
	alarm(20);
	object = object_open("split.so");
	frame = resolve(&object, mark_offset(&object, "split.so", "mark_outer"));
	assert_int_equal(frame.line_count, 1);
	assert_string_equal(frame.lines[0].function, "outer");
	assert_string_equal(frame.lines[0].file, "/src/inlined.c");
	assert_int_equal(frame.lines[0].line, 215);
	object_close(&object);
	alarm(0);
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
		cmocka_unit_test(test_symbol_asked_twice_answers_from_memory),
		cmocka_unit_test(test_symbol_of_dropped_files_keeps_answers_and_finds_new_ones),
		cmocka_unit_test(test_symbol_of_dropped_file_without_dwarf_reads_symbols_again),
		cmocka_unit_test(test_symbol_of_dropped_file_leaves_none_of_its_memory),
		cmocka_unit_test(test_symbol_without_dwarf_yields_the_name_in_symtab),
		cmocka_unit_test(test_symbol_of_stripped_file_yields_exported_names_and_nothing_beyond_their_ends),
		cmocka_unit_test(test_symbol_outside_the_code_yields_nothing),
		cmocka_unit_test(test_symbol_of_cxx_function_is_demangled),
		cmocka_unit_test(test_symbol_of_split_dwarf_opens_no_other_file_and_keeps_lines),
		cmocka_unit_test(test_symbol_of_damaged_file_never_fails),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
