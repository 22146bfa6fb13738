/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbolizer.c with split_unit.c and split_package.c: inlined functions whose description lies in .dwo files, or in a package of them. */
#include "symbol_object.h"

static const char said[] = "/split.so': inlined functions are in .dwo or .dwp files, which could not be read";

/* split.so, with the body of its unit in split.dwo in the same directory. */
static void build_split(const char *compiler)
{
	run("%s -O2 -fPIC -gsplit-dwarf -c -o split.o %s/tests/fixture/inlined.c && gcc -shared -o split.so split.o",
	    compiler, SOURCE_DIR);
}

/* As the process calls it: what is beside it is found by an absolute path. */
static struct object open_absolute(void)
{
	struct object object = object_open("split.so");

	elf_free(object.elf);
	snprintf(object.path, sizeof(object.path), "%.100s/split.so", scratch_path);
	assert_int_equal(elf_open(open(object.path, O_RDONLY | O_CLOEXEC), object.path, &object.elf), 0);
	return object;
}

static void assert_inlined(const struct object *object)
{
	struct symbol_frame frame = resolve(object, mark_offset(object, "split.so", "mark_inner"));

	assert_int_equal(frame.line_count, 3);
	assert_line(&frame.lines[0], "inner", "/src/inner.h", 103, 100);
	assert_line(&frame.lines[1], "middle", "/src/inlined.c", 202, 200);
	assert_line(&frame.lines[2], "outer", "/src/inlined.c", 214, 211);
	frame = resolve(object, mark_offset(object, "split.so", "mark_outer"));
	assert_int_equal(frame.line_count, 1);
	assert_line(&frame.lines[0], "outer", "/src/inlined.c", 215, 211);
}

static void assert_lines_alone(const struct object *object)
{
	struct symbol_frame frame = resolve(object, mark_offset(object, "split.so", "mark_outer"));

	assert_int_equal(frame.line_count, 1);
	assert_line(&frame.lines[0], "outer", "/src/inlined.c", 215, 0);
	assert_non_null(strstr(symbolizer_complaint(object->symbolizer, 0), said));
	assert_null(symbolizer_complaint(object->symbolizer, 1));
}

static void test_split_unit_yields_the_chain_innermost_first(void **state)
{
	static const char *const compilers[] = {"gcc -gdwarf-5",
						"gcc -gdwarf-4",
						"clang -gdwarf-5",
						"clang -gdwarf-4",
						"clang -gdwarf-5 -ffunction-sections",
						"gcc -gdwarf-4 -ffunction-sections"};

	(void)state;
	for (size_t i = 0; i < sizeof(compilers) / sizeof(*compilers); i++) {
		struct object object;

		print_message("           %s\n", compilers[i]);
		build_split(compilers[i]);
		object = object_open("split.so");
		assert_inlined(&object);
		assert_null(symbolizer_complaint(object.symbolizer, 0));
		object_close(&object);
	}
}

static void test_split_unit_that_was_moved_is_found_beside_the_file(void **state)
{
	struct object object;

	(void)state;
	run("mkdir elsewhere && cd elsewhere && gcc -g -O2 -fPIC -gsplit-dwarf -c -o split.o %s/tests/fixture/inlined.c && "
	    "gcc -shared -o ../split.so split.o && mv split.dwo .. && cd .. && rm -r elsewhere",
	    SOURCE_DIR);
	object = open_absolute();
	assert_inlined(&object);
	object_close(&object);
}

static void test_split_unit_of_dropped_file_is_read_again(void **state)
{
	struct object object;

	(void)state;
	build_split("gcc -g");
	object = object_open("split.so");
	resolve(&object, mark_offset(&object, "split.so", "mark_middle"));
	symbolizer_trim(object.symbolizer, 0);
	assert_inlined(&object);
	object_close(&object);
}

static void test_split_unit_that_is_missing_is_said_once_and_keeps_lines(void **state)
{
	struct object object;

	(void)state;
	build_split("gcc -g");
	run("rm split.dwo");
	object = object_open("split.so");
	assert_lines_alone(&object);
	object_close(&object);
}

static void test_split_unit_of_another_build_is_refused(void **state)
{
	struct object object;

	(void)state;
	build_split("gcc -g");
	run("echo 'int outer(int some) { return some; }' > other.c && gcc -g -gsplit-dwarf -c -o split.o other.c");
	object = object_open("split.so");
	assert_lines_alone(&object);
	object_close(&object);
}

/* If the FIFO is opened, the test hangs and the alarm ends it. */
static void test_split_unit_in_no_regular_file_is_not_opened(void **state)
{
	struct object object;

	(void)state;
	alarm(60);
	build_split("gcc -g");
	run("rm split.dwo && mkfifo split.dwo");
	object = object_open("split.so");
	assert_lines_alone(&object);
	object_close(&object);
	run("rm split.dwo");
	alarm(0);
}

/* Nothing to compare: the sanitizers and the return values judge. The last bytes, of an index, are damaged more often than others. */
static void assert_damage_never_fails(const char *name)
{
	static u8 image[1 << 16], damaged[sizeof(image)];
	unsigned int seed = 1;
	u64 offset = 0;
	size_t size;
	FILE *file;

	file = fopen(name, "re");
	assert_non_null(file);
	size = fread(image, 1, sizeof(image), file);
	fclose(file);
	for (int round = 0; round < 200; round++) {
		struct object object;

		memcpy(damaged, image, size);
		for (int i = 0; i < 3; i++)
			damaged[64 + rand_r(&seed) % (size - 64)] = rand_r(&seed);
		damaged[size - 1 - rand_r(&seed) % (size / 4)] = rand_r(&seed);
		file = fopen(name, "we");
		assert_non_null(file);
		assert_int_equal(fwrite(damaged, 1, size, file), size);
		assert_int_equal(fclose(file), 0);
		object = open_absolute();
		offset = offset ? offset : mark_offset(&object, "split.so", "mark_inner");
		for (u64 at = offset - 40; at < offset + 40; at += 8)
			assert_in_range(resolve(&object, at).line_count, 0, 65);
		object_close(&object);
	}
}

static void test_split_unit_that_is_damaged_never_fails(void **state)
{
	(void)state;
	build_split("gcc -g");
	assert_damage_never_fails("split.dwo");
}

/* --- packages --- */

/* split.so and split.so.dwp, in which the body of its unit is behind another one. */
static void build_package(const char *compiler)
{
	build_split(compiler);
	run("echo 'int other(int some) { return some; }' > other.c && %s -gsplit-dwarf -c -o other.o other.c && "
	    "llvm-dwp -o split.so.dwp other.dwo split.dwo && rm split.dwo other.dwo",
	    compiler);
}

static void test_split_package_yields_the_chain_innermost_first(void **state)
{
	static const char *const compilers[] = {"gcc -gdwarf-5", "gcc -gdwarf-4", "clang -gdwarf-5", "clang -gdwarf-4",
						"clang -gdwarf-5 -ffunction-sections"};

	(void)state;
	for (size_t i = 0; i < sizeof(compilers) / sizeof(*compilers); i++) {
		struct object object;

		print_message("           %s\n", compilers[i]);
		build_package(compilers[i]);
		object = open_absolute();
		assert_inlined(&object);
		assert_null(symbolizer_complaint(object.symbolizer, 0));
		object_close(&object);
	}
}

static void test_split_package_that_is_compressed_is_read(void **state)
{
	struct object object;

	(void)state;
	build_package("gcc -gdwarf-5");
	run("objcopy --compress-debug-sections=zlib split.so.dwp");
	object = open_absolute();
	assert_inlined(&object);
	object_close(&object);
}

/* The unit has a file beside it, but of another build. */
static void test_split_package_comes_before_the_units_file(void **state)
{
	struct object object;

	(void)state;
	build_package("gcc -gdwarf-5");
	run("gcc -g -gsplit-dwarf -c -o split.o other.c");
	object = open_absolute();
	assert_inlined(&object);
	object_close(&object);
}

static void test_split_package_without_the_unit_leaves_it_to_the_units_file(void **state)
{
	struct object object;

	(void)state;
	build_split("gcc -gdwarf-5");
	run("echo 'int other(int some) { return some; }' > other.c && gcc -gdwarf-5 -gsplit-dwarf -c -o other.o other.c && "
	    "llvm-dwp -o split.so.dwp other.dwo");
	object = open_absolute();
	assert_inlined(&object);
	object_close(&object);
}

static void test_split_package_without_the_unit_is_said_once_and_keeps_lines(void **state)
{
	struct object object;

	(void)state;
	build_package("gcc -gdwarf-5");
	run("gcc -gdwarf-5 -gsplit-dwarf -c -o other.o other.c && llvm-dwp -o split.so.dwp other.dwo && rm other.dwo");
	object = open_absolute();
	assert_lines_alone(&object);
	object_close(&object);
}

static void test_split_package_that_is_damaged_never_fails(void **state)
{
	(void)state;
	build_package("gcc -gdwarf-5");
	assert_damage_never_fails("split.so.dwp");
	build_package("gcc -gdwarf-4");
	assert_damage_never_fails("split.so.dwp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split_unit_yields_the_chain_innermost_first),
		cmocka_unit_test(test_split_unit_that_was_moved_is_found_beside_the_file),
		cmocka_unit_test(test_split_unit_of_dropped_file_is_read_again),
		cmocka_unit_test(test_split_unit_that_is_missing_is_said_once_and_keeps_lines),
		cmocka_unit_test(test_split_unit_of_another_build_is_refused),
		cmocka_unit_test(test_split_unit_in_no_regular_file_is_not_opened),
		cmocka_unit_test(test_split_unit_that_is_damaged_never_fails),
		cmocka_unit_test(test_split_package_yields_the_chain_innermost_first),
		cmocka_unit_test(test_split_package_that_is_compressed_is_read),
		cmocka_unit_test(test_split_package_comes_before_the_units_file),
		cmocka_unit_test(test_split_package_without_the_unit_leaves_it_to_the_units_file),
		cmocka_unit_test(test_split_package_without_the_unit_is_said_once_and_keeps_lines),
		cmocka_unit_test(test_split_package_that_is_damaged_never_fails),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
