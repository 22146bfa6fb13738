/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shortage.c: the sentences name the limit, its value, and what was counted, and do not contradict themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "system/shortage.h"

static struct rlimit set_limit(int resource, rlim_t value)
{
	struct rlimit before, limit;

	assert_int_equal(getrlimit(resource, &before), 0);
	limit = (struct rlimit){.rlim_cur = value, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(resource, &limit), 0);
	return before;
}

static bool says(const struct shortage_text *text, const char *words)
{
	return strstr(text->text, words);
}

static void test_descriptors_are_counted_by_kind(void **state)
{
	struct rlimit before = set_limit(RLIMIT_NOFILE, 80);
	unsigned int files, others, more_files, more_others;
	struct shortage_text text = shortage_explain(-EMFILE);
	int file, other;

	(void)state;
	assert_non_null(strstr(text.text, "too low: "));
	assert_int_equal(sscanf(strstr(text.text, "too low: "),
				"too low: %u are open for files that processes map, and %u", &files, &others),
			 2);
	file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	other = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(file >= 0 && other >= 0);
	text = shortage_explain(-EMFILE);
	assert_int_equal(sscanf(strstr(text.text, "too low: "),
				"too low: %u are open for files that processes map, and %u", &more_files, &more_others),
			 2);
	assert_int_equal(more_files, files + 1);
	assert_int_equal(more_others, others + 1);
	assert_true(says(&text, "limit of 80 file descriptors (RLIMIT_NOFILE)"));
	assert_false(says(&text, "needs about"));
	close(other);
	close(file);
	setrlimit(RLIMIT_NOFILE, &before);
}

/* What is asked for is more than there is. */
static void test_a_larger_limit_is_suggested(void **state)
{
	struct rlimit before = set_limit(RLIMIT_NOFILE, 80);
	struct shortage_text text = shortage_explain(-EMFILE);

	(void)state;
	assert_true(says(&text, "ulimit -Hn 4096"));
	setrlimit(RLIMIT_NOFILE, &before);
	if (before.rlim_max < 4096)
		return;
	set_limit(RLIMIT_NOFILE, 4096);
	text = shortage_explain(-EMFILE);
	assert_true(says(&text, "ulimit -Hn 16384"));
	setrlimit(RLIMIT_NOFILE, &before);
}

/* Data and stacks only: the sanitizers' address space is without end. */
static void test_memory_says_how_much_of_the_limit_is_taken(void **state)
{
	struct rlimit before = set_limit(RLIMIT_DATA, (rlim_t)1 << 50);
	struct shortage_text text = shortage_explain(-ENOMEM);
	unsigned long long limit = 0, taken = 0;

	(void)state;
	assert_true(says(&text, "(RLIMIT_DATA)"));
	assert_int_equal(sscanf(text.text,
				"memory is limited to %llu MiB (RLIMIT_DATA), of which heaptap has taken %llu", &limit,
				&taken),
			 2);
	assert_true(limit == 1ULL << 30);
	assert_true(taken < limit);
	assert_true(shortage_memory_is_limited());
	setrlimit(RLIMIT_DATA, &before);
}

static void test_other_errors_are_what_strerror_says(void **state)
{
	(void)state;
	assert_string_equal(shortage_explain(-ENOSPC).text, strerror(ENOSPC));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors_are_counted_by_kind),
		cmocka_unit_test(test_a_larger_limit_is_suggested),
		cmocka_unit_test(test_memory_says_how_much_of_the_limit_is_taken),
		cmocka_unit_test(test_other_errors_are_what_strerror_says),
	};

	return cmocka_run_group_tests_name("shortage", tests, NULL, NULL);
}
