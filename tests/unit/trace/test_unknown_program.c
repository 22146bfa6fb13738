/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * on_ring.c: a process has executed a program of which cannot be told whether it translates breakpoints. Its own probes go before it could
 * die of them; those for all processes stay, which is said once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define translator_executed executed_of_test

#include "trace/on_ring.c"

#include "unit/base/capture.h"

#define UNKNOWN "whether that translates heaptap's breakpoints cannot be told: "

static struct capture said;
static int executed_err;

int executed_of_test(pid_t pid, const char *exe, const char **ret_name)
{
	(void)pid, (void)exe;
	*ret_name = NULL;
	return executed_err;
}

/* What is said when it has executed one, with `err` from looking at it. */
static const char *execute(struct tracer *tracer, struct tracee *tracee, int err)
{
	executed_err = err;
	capture_begin(&said, stderr);
	check_translator(tracer, tracee, NULL);
	return capture_end(&said);
}

static struct tracee_file *new_file(void)
{
	struct tracee_file *file = calloc(1, sizeof(*file));

	assert_non_null(file);
	return file;
}

static void test_probes_of_its_own_are_taken_out(void **state)
{
	struct tracer tracer = {0};
	struct tracee tracee = {.pid = 77, .files = new_file()};
	const char *words = execute(&tracer, &tracee, -EMFILE);

	(void)state;
	assert_non_null(strstr(words, "pid 77 has executed another program, and " UNKNOWN "the hard limit of "));
	assert_non_null(strstr(words, "its probes are taken out, and its allocations are not seen"));
	assert_null(tracee.files);
	assert_true(tracee.translated);
	/* The recording is not whole. */
	assert_true(tracer.blind);
}

static void test_probes_for_all_stay_and_are_said_once(void **state)
{
	struct tracer tracer = {0};
	struct tracee first = {.pid = 77, .wide = true}, second = {.pid = 78, .wide = true};
	const char *words = execute(&tracer, &first, -ENOMEM);

	(void)state;
	assert_non_null(strstr(words, "pid 77 has executed another program, and " UNKNOWN));
	assert_non_null(strstr(words, "if it does, it may end by them, and so may others like it"));
	assert_string_equal(execute(&tracer, &second, -ENOMEM), "");
	assert_true(second.translated);
	assert_false(tracer.blind);
}

/* That others were told of once does not hide that the probes of one are gone. */
static void test_each_that_loses_its_probes_is_said(void **state)
{
	struct tracer tracer = {.unknown_told = true};
	struct tracee first = {.pid = 77, .files = new_file()}, second = {.pid = 78, .files = new_file()};

	(void)state;
	assert_non_null(strstr(execute(&tracer, &first, -EMFILE), "pid 77 has executed"));
	assert_non_null(strstr(execute(&tracer, &second, -EMFILE), "pid 78 has executed"));
}

/* The next program of the process may be known again. */
static void test_known_program_keeps_its_probes(void **state)
{
	struct tracer tracer = {0};
	struct tracee tracee = {.pid = 77, .files = new_file(), .translated = true};

	(void)state;
	assert_string_equal(execute(&tracer, &tracee, 0), "");
	assert_false(tracee.translated);
	assert_non_null(tracee.files);
	assert_false(tracer.blind);
	tracee_close_links(&tracee.files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probes_of_its_own_are_taken_out),
		cmocka_unit_test(test_probes_for_all_stay_and_are_said_once),
		cmocka_unit_test(test_each_that_loses_its_probes_is_said),
		cmocka_unit_test(test_known_program_keeps_its_probes),
	};

	return cmocka_run_group_tests_name("unknown program", tests, NULL, NULL);
}
