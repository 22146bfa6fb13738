/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbolizer.c: which name a function gets, where DWARF and the symbol table have different ones, or one of them none. */
#include "symbol_object.h"

#include "binary/elf_symbols.h"

static void assert_physical(const struct object *object, const char *file, const char *mark, const char *function,
			    const char *system_name)
{
	struct symbol_frame frame = resolve(object, mark_offset(object, file, mark));
	const struct symbol_line *last = &frame.lines[frame.line_count - 1];

	assert_true(frame.line_count > 0);
	assert_string_equal(last->function, function);
	assert_string_equal(last->system_name, system_name);
}

static void check_methods(const char *compiler)
{
	struct object object;

	print_message("           %s\n", compiler);
	build(compiler, "methods.cc", "methods.so");
	object = object_open("methods.so");
	assert_physical(&object, "methods.so", "mark_parser", "parser::run(int)", "_ZN6parser3runEi");
	assert_physical(&object, "methods.so", "mark_buffer", "net::buffer::run(int)", "_ZN3net6buffer3runEi");
	assert_physical(&object, "methods.so", "mark_static", "run(int)", "_ZL3runi");
	object_close(&object);
}

static void test_name_of_function_that_dwarf_calls_by_its_last_part_is_the_mangled_symbol(void **state)
{
	(void)state;
	check_methods("clang++ -gmlt");
	check_methods("clang++ -g1 -gdwarf-4");
	check_methods("g++ -g");
	check_methods("g++ -g1");
	check_methods("g++ -g -flto");
}

/* How compilers number lambdas is their own affair. */
static void test_name_of_lambda_tells_the_function_that_it_stands_in(void **state)
{
	static const char *const compilers[] = {"g++ -g -flto", "g++ -g1", "clang++ -gmlt", "clang++ -g"};
	struct symbol_frame frame;
	struct object object;

	(void)state;
	for (size_t i = 0; i < sizeof(compilers) / sizeof(*compilers); i++) {
		print_message("           %s\n", compilers[i]);
		build(compilers[i], "methods.cc", "methods.so");
		object = object_open("methods.so");
		frame = resolve(&object, mark_offset(&object, "methods.so", "mark_lambda"));
		assert_int_equal(frame.line_count, 1);
		assert_int_equal(strncmp(frame.lines[0].function, "all_methods::", 13), 0);
		assert_non_null(strstr(frame.lines[0].function, "::operator()(int) const"));
		assert_string_equal(strrchr(frame.lines[0].file, '/'), "/methods.cc");
		frame = resolve(&object, mark_offset(&object, "methods.so", "mark_inlined"));
		assert_int_equal(frame.line_count, 2);
		assert_non_null(strstr(frame.lines[frame.line_count - 1].function, "::operator()(int) const"));
		object_close(&object);
	}
}

/* What the compiler appends to the symbols of a function's copies and parts is no part of the source's name. */
static void test_name_of_copy_that_the_compiler_made_is_that_of_the_source(void **state)
{
	struct object object;

	(void)state;
	build("g++ -g", "methods.cc", "methods.so");
	run("objcopy --redefine-sym _ZL3runi=_ZL3runi.constprop.0 methods.so copy.so");
	object = object_open("copy.so");
	assert_physical(&object, "copy.so", "mark_static", "run(int)", "_ZL3runi");
	object_close(&object);
}

/* Not so in C: there the name in DWARF is the source's. */
static void test_name_of_c_function_is_that_in_dwarf(void **state)
{
	struct object object;

	(void)state;
	build("gcc -g", "inlined.c", "inlined.so");
	run("objcopy --redefine-sym hidden=hidden.part.0 inlined.so part.so");
	object = object_open("part.so");
	assert_physical(&object, "part.so", "mark_hidden", "hidden", "hidden");
	object_close(&object);
}

/* dwz -m moves names that several files have into a file of their own, which is not there. */
static void test_name_of_function_whose_dwarf_is_elsewhere_is_its_symbol(void **state)
{
	struct symbol_frame frame;
	struct object object;

	(void)state;
	build("gcc -g", "inlined.c", "inlined.so");
	run("cp inlined.so twin.so && dwz -m common.debug inlined.so twin.so && rm common.debug");
	object = object_open("inlined.so");
	frame = resolve(&object, mark_offset(&object, "inlined.so", "mark_outer"));
	assert_int_equal(frame.line_count, 1);
	assert_line(&frame.lines[0], "outer", "/src/inlined.c", 215, 211);
	frame = resolve(&object, mark_offset(&object, "inlined.so", "mark_inner"));
	assert_int_equal(frame.line_count, 1);
	assert_line(&frame.lines[0], "outer", "/src/inlined.c", 214, 211);
	object_close(&object);
}

/* The physical function at the symbol `name`. */
static void assert_physical_ends(const struct object *object, const char *name, const char *end)
{
	struct symbol_frame frame = resolve(object, mark_offset(object, "folded.so", name));
	const char *function;

	assert_true(frame.line_count > 0);
	function = frame.lines[frame.line_count - 1].function;
	if (strlen(function) < strlen(end) || strcmp(function + strlen(function) - strlen(end), end) != 0)
		fail_msg("'%s' does not end in '%s'", function, end);
}

static void check_folded(const char *compiler)
{
	struct object object;

	print_message("           %s\n", compiler);
	build(compiler, "folded.cc", "folded.so");
	object = object_open("folded.so");
	assert_physical_ends(&object, "_ZN6parser3runEi", "::run(int) [one of 3 folded]");
	assert_physical_ends(&object, "second", " [one of 2 folded]");
	assert_physical_ends(&object, "_ZN6bufferC1Ei", "buffer::buffer(int)");
	assert_physical_ends(&object, "library_open64", "library_open");
	assert_physical_ends(&object, "all_folded", "all_folded");
	object_close(&object);
}

/* Three methods are one, and nothing tells which one was called; a constructor has two names, and a library's alias is no function. */
static void test_name_of_functions_that_the_linker_made_one_says_how_many(void **state)
{
	(void)state;
	check_folded("g++ -g -fno-ipa-icf -ffunction-sections -fuse-ld=lld -Wl,--icf=all");
	check_folded("g++ -fno-ipa-icf -ffunction-sections -fuse-ld=lld -Wl,--icf=all");
}

static int assert_unmarked(const struct elf_symbol *symbol, void *arg)
{
	struct symbol_frame frame = resolve(arg, symbol->offset);
	const char *function = frame.line_count ? frame.lines[frame.line_count - 1].function : "";

	if (strstr(function, " folded]"))
		fail_msg("%s is called %s", symbol->name, function);
	return 0;
}

/* malloc, __libc_malloc; glob, glob64; malloc, tc_malloc and tc_new. */
static void test_name_of_c_library_or_allocator_has_no_mark_for_its_aliases(void **state)
{
	static const char *const files[] = {"libc.so.6", "libjemalloc.so", "libmimalloc.so"};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct object object;

		run("cp -L $(gcc -print-file-name=%s) library.so", files[i]);
		object = object_open("library.so");
		assert_int_equal(elf_for_each_function(object.elf, assert_unmarked, &object), 0);
		object_close(&object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name_of_function_that_dwarf_calls_by_its_last_part_is_the_mangled_symbol),
		cmocka_unit_test(test_name_of_lambda_tells_the_function_that_it_stands_in),
		cmocka_unit_test(test_name_of_copy_that_the_compiler_made_is_that_of_the_source),
		cmocka_unit_test(test_name_of_c_function_is_that_in_dwarf),
		cmocka_unit_test(test_name_of_function_whose_dwarf_is_elsewhere_is_its_symbol),
		cmocka_unit_test(test_name_of_functions_that_the_linker_made_one_says_how_many),
		cmocka_unit_test(test_name_of_c_library_or_allocator_has_no_mark_for_its_aliases),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
