/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process.bpf.c, population.bpf.h: a population of which only some are wanted, by name or by executable. */
#include "family.h"

static void test_population_comm_child_is_followed_in_silence_until_it_has_the_name(void **state)
{
	struct event_process event;

	(void)state;
	population = POPULATION_FOLLOW;
	memcpy(config.comm, "wanted", sizeof("wanted"));
	trace_parent();
	litter_free_rows();
	process_fork(&parent.task, &child.task);
	/* By exec only: a process that renames itself is as it was. */
	assert_no_event();
	assert_int_equal(scope_of(CHILD), FREE);
	assert_int_equal(scope_row(FREE)->process, 0);
	assert_int_equal(scope_row(FREE)->told, 0);
	assert_free(ROOM - 1, ROOM);
	become(&child);
	memcpy(child.task.comm, "wanted!", sizeof("wanted!"));
	process_exec(&child.task, CHILD);
	assert_no_event();
	memcpy(child.task.comm, "wanted", sizeof("wanted"));
	process_exec(&child.task, CHILD);
	assert_child_begins(EVENT_EXEC, CHILD);
	memcpy(child.task.comm, "want", sizeof("want"));
	process_exec(&child.task, CHILD);
	event = next_event(EVENT_EXEC);
	assert_int_equal(event.header.process, FREE);
	assert_int_equal(event.next, 0);
	assert_int_equal(scope_row(FREE)->process, 0);
	/* User space knows the scope by now, and gives it back itself. */
	end(&child);
	assert_int_equal(next_event(EVENT_EXIT).header.process, 0);
	assert_free(ROOM - 1, ROOM - 1);
	assert_int_equal(scope_of(CHILD), 0);
}

static void test_population_comm_of_fifteen_characters_is_compared_as_a_whole(void **state)
{
	(void)state;
	population = POPULATION_ALL;
	memcpy(config.comm, "fifteen-letters", 16);
	memcpy(child.task.comm, "fifteen-letterz", 16);
	process_fork(&parent.task, &child.task);
	assert_child_is_not_traced();
	memcpy(child.task.comm, "fifteen-letters", 16);
	process_fork(&parent.task, &child.task);
	assert_child_begins(EVENT_FORK, PARENT);
}

static void test_population_exe_is_a_file_by_inode_and_device(void **state)
{
	(void)state;
	population = POPULATION_ALL;
	config.exe_inode = 78;
	config.exe_device = 8 << 20 | 1;
	process_fork(&parent.task, &child.task);
	assert_child_is_not_traced();
	config.exe_inode = 77;
	config.exe_device = 8 << 20 | 2;
	process_fork(&parent.task, &child.task);
	assert_child_is_not_traced();
	config.exe_device = 8 << 20 | 1;
	process_fork(&parent.task, &child.task);
	assert_child_begins(EVENT_FORK, PARENT);
}

static void test_population_exec_of_whoever_is_wanted_now_begins_its_image(void **state)
{
	(void)state;
	population = POPULATION_ALL;
	memcpy(config.comm, "wanted", sizeof("wanted"));
	process_fork(&parent.task, &child.task);
	assert_child_is_not_traced();
	become(&child);
	memcpy(child.task.comm, "wanted", sizeof("wanted"));
	process_exec(&child.task, CHILD);
	assert_child_begins(EVENT_EXEC, CHILD);
}

static void test_population_silent_scope_goes_back_at_the_end_once(void **state)
{
	(void)state;
	population = POPULATION_FOLLOW;
	memcpy(config.comm, "wanted", sizeof("wanted"));
	trace_parent();
	process_fork(&parent.task, &child.task);
	assert_free(ROOM - 1, ROOM);
	end(&child);
	end(&child);
	assert_child_is_not_traced();
}

/* Both look at the process before either of them takes it away. */
static void test_population_two_last_threads_give_a_silent_scope_back_once(void **state)
{
	struct scope *scope;

	(void)state;
	population = POPULATION_FOLLOW;
	memcpy(config.comm, "wanted", sizeof("wanted"));
	trace_parent();
	process_fork(&parent.task, &child.task);
	scope = scope_row(scope_of(CHILD));
	scope_end(&child.task, EVENT_EXIT, scope, FREE);
	scope_end(&child.task, EVENT_EXIT, scope, FREE);
	assert_child_is_not_traced();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_population_comm_child_is_followed_in_silence_until_it_has_the_name),
		TEST(test_population_comm_of_fifteen_characters_is_compared_as_a_whole),
		TEST(test_population_exe_is_a_file_by_inode_and_device),
		TEST(test_population_exec_of_whoever_is_wanted_now_begins_its_image),
		TEST(test_population_silent_scope_goes_back_at_the_end_once),
		TEST(test_population_two_last_threads_give_a_silent_scope_back_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
