/* SPDX-License-Identifier: GPL-2.0-or-later */
/* .ci/walls on small trees: each kind of break is named with file and line, and a tree without one passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/binary/shell.h"
#include "unit/system/scratch.h"

static char output[4096];

/* Three rooms, each with a file that keeps the order. */
static int setup(void **state)
{
	if (scratch_setup(state))
		return -1;
	run("mkdir -p user/base user/trace user/cli include");
	scratch_file("include/types.h", "typedef unsigned int u32;\n", 0644);
	scratch_file("user/base/log.h", "void log_text(const char *text);\n", 0644);
	scratch_file("user/base/log.c",
		     "#include \"base/log.h\"\nvoid log_text(const char *text)\n{\n\t(void)text;\n}\n", 0644);
	scratch_file("user/trace/tracer.h", "void tracer_open(void);\n", 0644);
	scratch_file("user/trace/tracer.c",
		     "#include <stddef.h>\n#include \"base/log.h\"\n#include \"trace/tracer.h\"\n"
		     "void tracer_open(void)\n{\n\tlog_text(NULL);\n}\n",
		     0644);
	scratch_file("user/cli/main.c",
		     "#include \"include/types.h\"\n#include \"trace/tracer.h\"\n"
		     "int main(void)\n{\n\ttracer_open();\n}\n",
		     0644);
	scratch_file("user/cli/main.h", "", 0644);
	return 0;
}

/* Compile what there is, and look at it. Returns the exit status of .ci/walls, its words in `output`. */
static int look(void)
{
	size_t length;
	FILE *pipe;

	run("for source in user/*/*.c; do place=objects/${source#user/}; mkdir -p \"${place%%/*}\" && "
	    "cc -iquote user -iquote . -c \"$source\" -o \"${place%%.c}.o\" || exit 1; done");
	pipe = popen(SOURCE_DIR "/.ci/walls objects base trace cli 2>&1", "r");
	assert_non_null(pipe);
	length = fread(output, 1, sizeof(output) - 1, pipe);
	output[length] = '\0';
	return pclose(pipe);
}

static void assert_refused(const char *sentence)
{
	assert_int_not_equal(look(), 0);
	assert_string_equal(output, sentence);
}

static void test_walls_tree_in_order_passes(void **state)
{
	(void)state;
	assert_int_equal(look(), 0);
	assert_string_equal(output, "");
}

static void test_walls_include_of_a_later_room_is_refused(void **state)
{
	(void)state;
	scratch_file("user/base/wrong.h", "\n#include \"trace/tracer.h\"\n", 0644);
	assert_refused("user/base/wrong.h:2: includes \"trace/tracer.h\": trace/ comes after base/\n");
}

static void test_walls_include_without_a_room_is_refused(void **state)
{
	(void)state;
	scratch_file("user/cli/wrong.c", "#include \"main.h\"\n", 0644);
	assert_refused("user/cli/wrong.c:1: includes \"main.h\": write the path from user/ on, or include/...\n");
}

static void test_walls_libbpf_outside_trace_is_refused(void **state)
{
	(void)state;
	scratch_file("user/base/wrong.c", "#include <bpf/libbpf.h>\n", 0644);
	scratch_file("user/cli/wrong.h", "#include \"heaptap.skel.h\"\n", 0644);
	scratch_file("user/trace/right.c", "#include <bpf/libbpf.h>\n", 0644);
	assert_refused(
		"user/base/wrong.c:1: includes bpf/libbpf.h: only trace/ knows libbpf and the programs for the kernel\n"
		"user/cli/wrong.h:1: includes heaptap.skel.h: only trace/ knows libbpf and the programs for the "
		"kernel\n");
}

static void test_walls_call_of_a_later_room_is_refused(void **state)
{
	(void)state;
	scratch_file("user/base/wrong.c",
		     "void tracer_open(void);\nvoid wrong(void);\nvoid wrong(void)\n{\n\ttracer_open();\n}\n", 0644);
	assert_refused("user/base/wrong.c:1: uses tracer_open of user/trace/tracer.c: trace/ comes after base/\n");
}

static void test_walls_call_of_libbpf_outside_trace_is_refused(void **state)
{
	(void)state;
	scratch_file("user/cli/wrong.c",
		     "int bpf_prog_load(void);\nint wrong(void);\nint wrong(void)\n{\n\treturn bpf_prog_load();\n}\n",
		     0644);
	assert_refused(
		"user/cli/wrong.c:1: uses bpf_prog_load of libbpf: only trace/ knows libbpf and the programs for the "
		"kernel\n");
}

static void test_walls_objects_of_sources_that_are_gone_are_passed_over(void **state)
{
	(void)state;
	scratch_file("user/base/wrong.c",
		     "void tracer_open(void);\nvoid wrong(void);\nvoid wrong(void)\n{\n\ttracer_open();\n}\n", 0644);
	assert_int_not_equal(look(), 0);
	assert_int_equal(unlink("user/base/wrong.c"), 0);
	assert_int_equal(look(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_walls_tree_in_order_passes),
		TEST(test_walls_include_of_a_later_room_is_refused),
		TEST(test_walls_include_without_a_room_is_refused),
		TEST(test_walls_libbpf_outside_trace_is_refused),
		TEST(test_walls_call_of_a_later_room_is_refused),
		TEST(test_walls_call_of_libbpf_outside_trace_is_refused),
		TEST(test_walls_objects_of_sources_that_are_gone_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
