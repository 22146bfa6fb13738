/* SPDX-License-Identifier: GPL-2.0-or-later */
/* .ci/bpf_stack on small BPF objects: what a program and all that it calls need is added up, and too much of it is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/binary/shell.h"
#include "unit/system/scratch.h"

static char output[4096];

/* ON_STACK(words): a function uses so many words of stack. loop: bpf_loop. */
static const char preamble[] =
	"#define ON_STACK(words) long kept[words]; asm volatile(\"\" : : \"r\"(kept) : \"memory\")\n"
	"static long (*loop)(unsigned, void *, void *, unsigned long) = (void *)181;\n";

/* Compile a program and look at it. Returns the exit status of .ci/bpf_stack, its words in `output`. */
static int look(const char *source)
{
	char text[4096];
	size_t length;
	FILE *pipe;

	snprintf(text, sizeof(text), "%s%s", preamble, source);
	scratch_file("small.bpf.c", text, 0644);
	run("clang -g -O2 -target bpf -mcpu=v3 -c small.bpf.c -o small.o");
	pipe = popen(SOURCE_DIR "/.ci/bpf_stack small.o 2>&1", "r");
	assert_non_null(pipe);
	length = fread(output, 1, sizeof(output) - 1, pipe);
	output[length] = '\0';
	return pclose(pipe);
}

static void test_bpf_stack_each_function_is_rounded_up_to_32(void **state)
{
	(void)state;
	assert_int_equal(
		look("__attribute__((noinline, weak)) int second(void) { ON_STACK(5); return 0; }\n"
		     "__attribute__((noinline, weak)) int third(void) { return 1; }\n"
		     "__attribute__((noinline, weak)) int first(void) { ON_STACK(4); return second() + third(); }\n"
		     "__attribute__((section(\"uprobe\"))) int program(void *c) { return first() + 1; }\n"),
		0);
	assert_string_equal(output, "program 32 -> first 32 -> second 64: 128 of 512 bytes of stack\n");
}

static void test_bpf_stack_address_that_is_handed_on_counts(void **state)
{
	(void)state;
	assert_int_equal(look("__attribute__((section(\"uprobe\"))) int program(void *c) { long kept[10];\n"
			      "loop(1, (void *)0, kept, 0); return 0; }\n"),
			 0);
	assert_string_equal(output, "program 96: 96 of 512 bytes of stack\n");
}

static void test_bpf_stack_too_much_together_is_refused(void **state)
{
	static const char source[] =
		"__attribute__((noinline)) static int second(void) { ON_STACK(WORDS); return 0; }\n"
		"__attribute__((noinline, weak)) int first(void) { ON_STACK(28); return second() + 1; }\n"
		"__attribute__((section(\"?uprobe\"))) int program(void *c) { return first() + 1; }\n"
		"__attribute__((section(\"uprobe\"))) int other(void *c) { return 0; }\n";
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text), "#define WORDS 32\n%s", source);
	assert_int_equal(look(text), 0);
	assert_string_equal(output, "program 32 -> first 224 -> second 256: 512 of 512 bytes of stack\n");
	snprintf(text, sizeof(text), "#define WORDS 33\n%s", source);
	assert_int_not_equal(look(text), 0);
	assert_string_equal(output,
			    "small.o: program 32 -> first 224 -> second 288: 544 bytes of stack in 3 functions; "
			    "Linux 6.1 allows 512 in 8\n");
}

static void test_bpf_stack_callback_counts_as_a_call(void **state)
{
	(void)state;
	assert_int_not_equal(look("static long each(unsigned i, void *arg) { ON_STACK(30); return 0; }\n"
				  "__attribute__((section(\"uprobe\"))) int program(void *c) { ON_STACK(40);\n"
				  "return loop(9, each, (void *)0, 0); }\n"),
			     0);
	assert_string_equal(output, "small.o: program 320 -> each 256: 576 bytes of stack in 2 functions; "
				    "Linux 6.1 allows 512 in 8\n");
}

static void test_bpf_stack_nine_functions_are_refused(void **state)
{
	static const char source[] =
		"#define CALLS(name, next) __attribute__((noinline, weak)) int name(void) { return next() + 1; }\n"
		"__attribute__((noinline, weak)) int h(void) { return 1; }\n"
		"CALLS(g, h) CALLS(f, g) CALLS(e, f) CALLS(d, e) CALLS(c, d) CALLS(b, c) CALLS(a, b)\n"
		"__attribute__((section(\"uprobe\"))) int program(void *c) { return FIRST() + 1; }\n";
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text), "#define FIRST b\n%s", source);
	assert_int_equal(look(text), 0);
	snprintf(text, sizeof(text), "#define FIRST a\n%s", source);
	assert_int_not_equal(look(text), 0);
	assert_non_null(strstr(output, ": 288 bytes of stack in 9 functions; Linux 6.1 allows 512 in 8\n"));
}

static void test_bpf_stack_without_programs_is_refused(void **state)
{
	(void)state;
	assert_int_not_equal(look("int number = 1;\n"), 0);
	assert_string_equal(output, "small.o: no programs\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bpf_stack_each_function_is_rounded_up_to_32),
		TEST(test_bpf_stack_address_that_is_handed_on_counts),
		TEST(test_bpf_stack_too_much_together_is_refused),
		TEST(test_bpf_stack_callback_counts_as_a_call),
		TEST(test_bpf_stack_nine_functions_are_refused),
		TEST(test_bpf_stack_without_programs_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
