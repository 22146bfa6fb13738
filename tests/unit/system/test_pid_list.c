/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pid_list.c: the processes there are, and the children of this test itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/cgroup.h"
#include "system/pid_list.h"
#include "scratch.h"

/* A child with a child of its own, both of which wait to be killed. */
struct line {
	pid_t child, grandchild;
};

static void wait_forever(void)
{
	for (;;)
		pause();
}

static struct line begin_line(void)
{
	struct line line;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	line.child = fork();
	if (!line.child) {
		pid_t grandchild = fork();

		if (!grandchild)
			wait_forever();
		if (write(ends[1], &grandchild, sizeof(grandchild)) != sizeof(grandchild))
			_exit(1);
		wait_forever();
	}
	assert_true(line.child > 0);
	assert_int_equal(read(ends[0], &line.grandchild, sizeof(line.grandchild)), sizeof(line.grandchild));
	close(ends[0]);
	close(ends[1]);
	return line;
}

static void end_line(const struct line *line)
{
	kill(line->grandchild, SIGKILL);
	kill(line->child, SIGKILL);
	assert_int_equal(waitpid(line->child, NULL, 0), line->child);
}

static unsigned int times(const struct pid_list *list, pid_t pid)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < list->count; i++)
		count += list->pids[i] == pid;
	return count;
}

static void test_pid_list_all_has_everybody_once_but_the_one_who_asks(void **state)
{
	struct line line = begin_line();
	struct pid_list list;

	(void)state;
	assert_int_equal(pid_list_all(&list), 0);
	assert_int_equal(times(&list, line.child), 1);
	assert_int_equal(times(&list, line.grandchild), 1);
	assert_int_equal(times(&list, getpid()), 0);
	assert_int_equal(times(&list, 0), 0);
	pid_list_release(&list);
	assert_int_equal(list.count, 0);
	end_line(&line);
}

static void test_pid_list_family_is_children_and_grandchildren_once(void **state)
{
	struct line line = begin_line(), other = begin_line();
	pid_t both[] = {line.child, line.grandchild};
	struct pid_list list;

	(void)state;
	assert_int_equal(pid_list_family(both, 1, &list), 0);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.pids[0], line.child);
	assert_int_equal(list.pids[1], line.grandchild);
	pid_list_release(&list);
	assert_int_equal(pid_list_family(both, 2, &list), 0);
	assert_int_equal(list.count, 2);
	pid_list_release(&list);
	assert_int_equal(pid_list_family(&line.grandchild, 1, &list), 0);
	assert_int_equal(list.count, 1);
	pid_list_release(&list);
	end_line(&line);
	end_line(&other);
}

static void test_pid_list_family_of_its_own_parent_leaves_the_one_who_asks_out(void **state)
{
	struct line line = begin_line();
	pid_t parent = getppid();
	struct pid_list list;

	(void)state;
	assert_int_equal(pid_list_family(&parent, 1, &list), 0);
	assert_int_equal(times(&list, parent), 1);
	assert_int_equal(times(&list, getpid()), 0);
	pid_list_release(&list);
	end_line(&line);
}

static void test_pid_list_family_of_nobody_is_empty(void **state)
{
	struct pid_list list;

	(void)state;
	assert_int_equal(pid_list_family(NULL, 0, &list), 0);
	assert_int_equal(list.count, 0);
	pid_list_release(&list);
}

static void test_pid_list_group_has_those_in_it_and_below(void **state)
{
	struct cgroup group = {.directory = (char *)"."};
	struct pid_list list;
	unsigned int hidden = 77;

	(void)state;
	scratch_file("cgroup.procs", "11\n12\n0\n", 0644);
	assert_int_equal(mkdir("below", 0755), 0);
	scratch_file("below/cgroup.procs", "13\n", 0644);
	assert_int_equal(pid_list_group(&group, &list, &hidden), 0);
	assert_int_equal(list.count, 3);
	assert_int_equal(times(&list, 11) + times(&list, 12) + times(&list, 13), 3);
	assert_int_equal(hidden, 1);
	pid_list_release(&list);
}

static void test_pid_list_group_that_is_gone_is_an_error_with_an_empty_list(void **state)
{
	struct cgroup group = {.directory = (char *)"nowhere"};
	struct pid_list list;
	unsigned int hidden;

	(void)state;
	assert_true(pid_list_group(&group, &list, &hidden) < 0);
	assert_int_equal(list.count, 0);
	assert_null(list.pids);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pid_list_all_has_everybody_once_but_the_one_who_asks),
		cmocka_unit_test(test_pid_list_family_is_children_and_grandchildren_once),
		cmocka_unit_test(test_pid_list_family_of_its_own_parent_leaves_the_one_who_asks_out),
		cmocka_unit_test(test_pid_list_family_of_nobody_is_empty),
		TEST(test_pid_list_group_has_those_in_it_and_below),
		TEST(test_pid_list_group_that_is_gone_is_an_error_with_an_empty_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
