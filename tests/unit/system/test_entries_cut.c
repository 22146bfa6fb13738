/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What reads directories: one of which an entry cannot be read does not pass for a shorter one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So many entries find memory, the next one does not. */
static unsigned int entries_left;

static struct dirent *next_entry(DIR *directory)
{
	if (entries_left && entries_left--)
		return readdir(directory);
	errno = ENOMEM;
	return NULL;
}

#define readdir next_entry

#include "system/cgroup.c"
#include "system/container_log.c"
#include "system/mapped_by.c"
#include "system/pid_list.c"
#include "system/procfs.c"
#include "system/shared_memory.c"
#include "system/stopped_threads.c"

#define PLENTY UINT32_MAX

static void test_processes_cut_are_no_list(void **state)
{
	struct pid_list list;

	(void)state;
	entries_left = PLENTY;
	assert_int_equal(pid_list_all(&list), 0);
	assert_true(list.count > 1);
	pid_list_release(&list);
	for (unsigned int left = 0; left < 3; left++) {
		entries_left = left;
		assert_int_equal(pid_list_all(&list), -ENOMEM);
		assert_int_equal(list.count, 0);
	}
}

/* Code must not be changed while a thread runs that was not found. */
static void test_threads_cut_are_not_all_threads(void **state)
{
	struct stopped_threads threads = {.pid = getpid()};

	(void)state;
	entries_left = 0;
	assert_int_equal(seize_new(&threads), -ENOMEM);
	/* The two that each directory begins with are no threads. */
	entries_left = 2;
	assert_int_equal(seize_new(&threads), -ENOMEM);
	assert_int_equal(threads.count, 0);
}

static void test_thread_that_could_lend_is_not_missing_where_threads_are_cut(void **state)
{
	struct stopping stopping = {.threads = {.pid = getpid()}};

	(void)state;
	entries_left = 2;
	assert_int_equal(act_on_one(&stopping), -ENOMEM);
}

/* One of which the threads are not all known is neither ending nor alone with its memory. */
static void test_process_of_which_threads_are_cut_is_there(void **state)
{
	(void)state;
	entries_left = 0;
	assert_false(procfs_is_ending(getpid()));
	assert_true(shared_memory_has_others(getpid()));
	assert_true(procfs_is_ending(INT32_MAX));
	entries_left = PLENTY;
	assert_false(procfs_is_ending(getpid()));
}

static int count(const char *directory, void *arg)
{
	(void)directory;
	++*(unsigned int *)arg;
	return 0;
}

static void test_groups_cut_are_not_all_groups(void **state)
{
	unsigned int groups = 0;

	(void)state;
	entries_left = 1;
	assert_int_equal(cgroup_for_each_below("/proc/self", count, &groups), -ENOMEM);
	assert_int_equal(groups, 0);
}

static bool is_none(pid_t pid, void *arg)
{
	(void)pid;
	(void)arg;
	return false;
}

static void test_processes_cut_are_not_all_that_map_a_file(void **state)
{
	struct mapped_by_count result;

	(void)state;
	entries_left = 2;
	assert_int_equal(mapped_by_count("", NULL, 0, is_none, NULL, &result), -ENOMEM);
	entries_left = PLENTY;
	assert_int_equal(mapped_by_count("", NULL, 0, is_none, NULL, &result), 0);
}

/* A pod must not seem to have moved out of its namespace. */
static void test_logs_cut_are_not_without_that_of_a_container(void **state)
{
	char *space;

	(void)state;
	entries_left = 2;
	assert_int_equal(container_log_space("/proc/self", "no such id", &space), -ENOMEM);
	assert_null(space);
	entries_left = PLENTY;
	assert_int_equal(container_log_space("/proc/self", "no such id", &space), 0);
	assert_null(space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_processes_cut_are_no_list),
		cmocka_unit_test(test_threads_cut_are_not_all_threads),
		cmocka_unit_test(test_thread_that_could_lend_is_not_missing_where_threads_are_cut),
		cmocka_unit_test(test_process_of_which_threads_are_cut_is_there),
		cmocka_unit_test(test_groups_cut_are_not_all_groups),
		cmocka_unit_test(test_processes_cut_are_not_all_that_map_a_file),
		cmocka_unit_test(test_logs_cut_are_not_without_that_of_a_container),
	};

	return cmocka_run_group_tests_name("entries cut", tests, NULL, NULL);
}
