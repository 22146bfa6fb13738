/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tracer.c: what cannot be seen is said once, whatever else has been said, and makes a recording fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "unit/base/capture.h"

#include "trace/tracer.h"
#include "trace/tracer_internal.h"

#define FILE_NAME "/proc/self/exe"
#define SENTENCE  "'" FILE_NAME "', which a traced process maps, cannot be opened: "

static struct capture said;

/* A process maps the file, and there is no descriptor to open it with. */
static void map_too_many(struct tracer *tracer)
{
	struct rlimit before, none;
	struct binary *file;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(binaries_open_path(tracer->binaries, FILE_NAME, &file), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static bool is_said(struct tracer *tracer, bool *ret_failed)
{
	capture_begin(&said, stderr);
	*ret_failed = tracer_say_unseen(tracer);
	return strstr(capture_end(&said), SENTENCE);
}

static void test_file_without_a_descriptor_is_said_once(void **state)
{
	struct tracer tracer = {.binaries = binaries_new(NULL, false)};
	bool failed;

	(void)state;
	assert_false(is_said(&tracer, &failed));
	assert_false(failed);
	map_too_many(&tracer);
	assert_true(is_said(&tracer, &failed));
	assert_true(failed);
	assert_false(is_said(&tracer, &failed));
	assert_true(failed);
	binaries_free(tracer.binaries);
}

/* A probe that failed, or an event that was lost, is another cause: it does not stand for this one. */
static void test_file_without_a_descriptor_is_said_of_a_recording_that_failed_before(void **state)
{
	struct tracer tracer = {.binaries = binaries_new(NULL, false), .blind = true};
	bool failed;

	(void)state;
	map_too_many(&tracer);
	assert_true(is_said(&tracer, &failed));
	assert_true(failed);
	binaries_free(tracer.binaries);
}

static const char *words_of_unread(struct tracer *tracer, unsigned int processes)
{
	capture_begin(&said, stderr);
	for (unsigned int i = 0; i < processes; i++)
		unread_add(tracer, (pid_t)(1000 + i), -EMFILE);
	if (!processes)
		unread_say(&tracer->unread);
	return capture_end(&said);
}

/* A build begins thousands of processes: a line for each would bury all else. */
static void test_processes_that_cannot_be_read_are_one_line_and_a_count(void **state)
{
	struct tracer tracer = {0};
	const char *words;

	(void)state;
	assert_string_equal(words_of_unread(&tracer, 0), "");
	assert_false(tracer.blind);
	words = words_of_unread(&tracer, 1000);
	assert_non_null(strstr(words, "pid 1000: what it maps cannot be read: the hard limit of "));
	assert_null(strstr(words, "pid 1001"));
	assert_true(tracer.blind);
	assert_non_null(strstr(words_of_unread(&tracer, 0), "what 1000 processes map could not be read: "));
	assert_string_equal(words_of_unread(&tracer, 0), "");
}

static void test_one_process_that_cannot_be_read_is_named_and_not_counted_again(void **state)
{
	struct tracer tracer = {0};

	(void)state;
	assert_non_null(strstr(words_of_unread(&tracer, 1), "pid 1000: "));
	assert_string_equal(words_of_unread(&tracer, 0), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_without_a_descriptor_is_said_once),
		cmocka_unit_test(test_file_without_a_descriptor_is_said_of_a_recording_that_failed_before),
		cmocka_unit_test(test_processes_that_cannot_be_read_are_one_line_and_a_count),
		cmocka_unit_test(test_one_process_that_cannot_be_read_is_named_and_not_counted_again),
	};

	return cmocka_run_group_tests_name("unseen", tests, NULL, NULL);
}
