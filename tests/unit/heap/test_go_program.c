/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small program as Go's linker would lay it out, for three releases: where it is, its variables, its functions and lines. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "heap/go_buckets.h"
#include "probe/go_variables.h"

#define TEXT 0x401000ull
#define MAIN (TEXT + 3 * 64) /* functions have 64 bytes; main.main is the fourth */

struct program {
	struct elf *elf;
	struct go_image image;
	struct go_module module;
	struct go_lines *lines;
	u64 bias;
};

static int read_loaded(void *arg, u64 address, void *buffer, size_t size)
{
	const struct program *program = arg;

	return go_image_bytes(program->elf, &program->image, address - program->bias, buffer, size) ? -EFAULT : 0;
}

static void open_program(const char *name, struct program *program)
{
	const struct process_memory memory = {read_loaded, program};
	char path[512];

	memset(program, 0, sizeof(*program));
	snprintf(path, sizeof(path), SOURCE_DIR "/tests/fuzz/corpus/fuzz_go/%s", name);
	assert_int_equal(elf_open(open(path, O_RDONLY), name, &program->elf), 0);
	assert_int_equal(go_image_read(program->elf, &program->image), 0);
	assert_int_equal(go_module_find(&program->image, &memory, 0, &program->module), 0);
	assert_int_equal(go_lines_open(program->elf, &program->image, &program->module, &program->lines), 0);
}

static void close_program(struct program *program)
{
	go_lines_free(program->lines);
	elf_free(program->elf);
}

static const char *const names[] = {"go1_19", "go1_24", "go1_27"};
static const unsigned int minors[] = {19, 24, 27};

#define FOR_EACH_PROGRAM(i) for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++)

static void test_versions_are_read(void **state)
{
	struct program program = {0};

	(void)state;
	FOR_EACH_PROGRAM(i)
	{
		open_program(names[i], &program);
		assert_int_equal(program.image.minor, minors[i]);
		assert_memory_equal(program.image.version, "go1.", 4);
		assert_int_equal(program.module.text, TEXT);
		close_program(&program);
	}
}

static void test_functions_have_lines(void **state)
{
	struct program program = {0};
	struct go_line line;
	u64 start, end;

	(void)state;
	FOR_EACH_PROGRAM(i)
	{
		open_program(names[i], &program);
		assert_int_equal(go_lines_find(program.lines, MAIN + 20, &line), 0);
		assert_string_equal(line.function, "main.main");
		assert_string_equal(line.file, "/src/main.go");
		assert_int_equal(line.line, 20);
		assert_int_equal(line.entry, MAIN);
		assert_int_equal(line.parent, 0);
		assert_int_equal(line.start_line, minors[i] < 20 ? 0 : 5);
		assert_int_equal(go_lines_find(program.lines, TEXT - 1, &line), -ENOENT);
		assert_int_equal(go_lines_find(program.lines, program.module.etext, &line), -ENOENT);
		assert_int_equal(go_lines_function(program.lines, "runtime.mProf_Flush", &start, &end), 0);
		assert_int_equal(start, TEXT + 64);
		assert_int_equal(end, TEXT + 128);
		assert_int_equal(go_lines_function(program.lines, "main.none", &start, &end), -ENOENT);
		close_program(&program);
	}
}

/* Bytes 8 to 15 of main.main are main.inlined's, whose call has the place of byte 16. */
static void test_inlined_function_leads_to_its_caller(void **state)
{
	struct program program = {0};
	struct go_line line;

	(void)state;
	FOR_EACH_PROGRAM(i)
	{
		open_program(names[i], &program);
		assert_int_equal(go_lines_find(program.lines, MAIN + 8, &line), 0);
		assert_string_equal(line.function, "main.inlined");
		assert_int_equal(line.line, 10);
		assert_int_equal(line.entry, MAIN);
		assert_int_equal(line.parent, MAIN + 16);
		assert_int_equal(line.start_line, minors[i] < 20 ? 0 : 7);
		assert_int_equal(go_lines_find(program.lines, line.parent, &line), 0);
		assert_string_equal(line.function, "main.main");
		close_program(&program);
	}
}

/* By the code of three functions, there being no symbols. */
static void test_profile_is_found_without_symbols(void **state)
{
	struct program program = {0};
	struct go_variables variables;
	struct go_buckets buckets;
	const struct process_memory memory = {read_loaded, &program};
	u64 rate;

	(void)state;
	FOR_EACH_PROGRAM(i)
	{
		open_program(names[i], &program);
		assert_int_equal(go_variables_find(program.elf, &program.image, program.lines, &variables), 0);
		assert_int_equal(process_memory_word(&memory, variables.rate, &rate), 0);
		assert_int_equal(rate, 524288);
		assert_int_equal(go_buckets_read(&memory,
						 &(struct go_buckets_place){variables.buckets, variables.cycle, TEXT,
									    program.module.etext, minors[i]},
						 &buckets),
				 0);
		assert_int_equal(buckets.count, 2);
		assert_int_equal(buckets.buckets[1].size, 48);
		assert_int_equal(buckets.buckets[1].allocs, 10 + 0); /* cycle 7 has slot 1, which is empty */
		go_buckets_release(&buckets);
		close_program(&program);
	}
}

/* Its table of lines is elsewhere in memory, and so are the pointers to it: none is taken for one of this program. */
static void test_program_that_is_not_there_is_not_found(void **state)
{
	struct program program = {0};
	struct go_module module;
	const struct process_memory memory = {read_loaded, &program};

	(void)state;
	open_program("go1_24", &program);
	assert_int_equal(go_module_find(&program.image, &memory, 0x1000, &module), -ENOENT);
	program.bias = 0x1000;
	assert_int_equal(go_module_find(&program.image, &memory, 0x1000, &module), -ENOENT);
	program.image.minor = 28;
	assert_int_equal(go_module_find(&program.image, &memory, 0, &module), -ENOTSUP);
	close_program(&program);
}

static void test_program_that_keeps_a_profile_is_known(void **state)
{
	struct program program = {0};
	struct go_image image;

	(void)state;
	open_program("go1_24", &program);
	assert_true(go_keeps_profile(program.elf, &image));
	close_program(&program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions_are_read),
		cmocka_unit_test(test_functions_have_lines),
		cmocka_unit_test(test_inlined_function_leads_to_its_caller),
		cmocka_unit_test(test_profile_is_found_without_symbols),
		cmocka_unit_test(test_program_that_is_not_there_is_not_found),
		cmocka_unit_test(test_program_that_keeps_a_profile_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
