/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process.bpf.c: processes that come into a traced cgroup and leave it, and cgroups that are made again. */
#include "family.h"

static struct cgroup_root version_1 = {.hierarchy_id = 3};

static void move(struct node *to)
{
	child.set.dfl_cgrp = &to->cgroup;
	process_moved(&to->cgroup, "path", &child.task, true);
}

static void test_population_cgroup_whoever_comes_in_is_traced_and_whoever_leaves_no_more(void **state)
{
	struct event_process event;

	(void)state;
	population = POPULATION_CGROUP;
	become(&heaptap); /* or the process that moves it */
	litter_free_rows();
	move(inside);
	assert_child_begins(EVENT_ENTER, CHILD);
	move(below);
	move(inside);
	assert_no_event();
	move(outside);
	event = next_event(EVENT_LEAVE);
	assert_int_equal(event.header.process, FREE);
	assert_int_equal(event.pid, CHILD);
	assert_int_equal(event.scope, FREE);
	assert_int_equal(event.next, 0);
	assert_int_equal(scope_of(CHILD), 0);
	assert_int_equal(scope_row(FREE)->process, 0);
	assert_free(ROOM - 1, ROOM - 1);
	move(below);
	event = next_event(EVENT_ENTER);
	assert_int_equal(event.next, FREE + 1);
	assert_int_equal(event.scope, FREE + 1);
}

static void test_population_cgroup_scope_that_user_space_knows_leaves_with_a_word(void **state)
{
	(void)state;
	population = POPULATION_CGROUP;
	memcpy(config.comm, "parent", sizeof("parent"));
	move(inside);
	assert_child_begins(EVENT_ENTER, CHILD);
	become(&child);
	memcpy(child.task.comm, "other", sizeof("other"));
	process_exec(&child.task, CHILD);
	assert_int_equal(next_event(EVENT_EXEC).next, 0);
	move(outside);
	assert_int_equal(next_event(EVENT_LEAVE).header.process, 0);
	assert_int_equal(scope_of(CHILD), 0);
}

static void test_population_cgroup_only_whole_processes_move(void **state)
{
	(void)state;
	population = POPULATION_CGROUP;
	child.set.dfl_cgrp = &inside->cgroup;
	process_moved(&inside->cgroup, "path", &child.task, false);
	assert_child_is_not_traced();
}

static void test_population_of_another_kind_heeds_no_cgroup(void **state)
{
	(void)state;
	population = POPULATION_ALL;
	move(inside);
	assert_child_is_not_traced();
	population = POPULATION_FOLLOW;
	trace_parent();
	process_fork(&parent.task, &child.task);
	assert_child_begins(EVENT_FORK, PARENT);
	move(outside);
	assert_no_event();
}

static void test_population_cgroup_borrower_of_memory_that_moves_leaves_its_parent_alone(void **state)
{
	(void)state;
	population = POPULATION_CGROUP;
	child.set.dfl_cgrp = &inside->cgroup;
	share_memory();
	move(outside);
	assert_no_event();
	assert_int_equal(scope_of(PARENT), SCOPE);
	assert_int_equal(scope_row(SCOPE)->process, PROCESS);
}

static void make(const char *path, struct cgroup_root *hierarchy)
{
	char padded[GROUP_PATH_MAX] = "";
	struct node node = {.cgroup = {.root = hierarchy, .kn = &node.file}, .file = {.id = 500}};

	memcpy(padded, path, strlen(path));
	group_made(&node.cgroup, padded);
}

static void test_population_cgroup_made_again_under_its_path_takes_its_place(void **state)
{
	(void)state;
	population = POPULATION_CGROUP;
	make("/inside", &version_2);
	assert_int_equal(group.id, 500);
	assert_int_equal(group.made, 1);
	inside->file.id = 500;
	move(inside);
	assert_child_begins(EVENT_ENTER, CHILD);
}

static void test_population_cgroup_made_under_another_path_does_not(void **state)
{
	(void)state;
	population = POPULATION_CGROUP;
	make("/insid", &version_2);
	make("/inside/", &version_2);
	make("/inside2", &version_2);
	make("/", &version_2);
	make("/inside", &version_1);
	population = POPULATION_ALL;
	make("/inside", &version_2);
	assert_int_equal(group.id, 100);
	assert_int_equal(group.made, 0);
}

static void test_population_cgroup_path_as_long_as_can_be_is_compared_in_bounds(void **state)
{
	char path[GROUP_PATH_MAX];

	(void)state;
	memset(path, 'x', sizeof(path));
	memset(group.path, 'x', sizeof(group.path));
	assert_false(group_is_called(path));
	path[sizeof(path) - 1] = group.path[sizeof(path) - 1] = 0;
	assert_true(group_is_called(path));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_population_cgroup_whoever_comes_in_is_traced_and_whoever_leaves_no_more),
		TEST(test_population_cgroup_scope_that_user_space_knows_leaves_with_a_word),
		TEST(test_population_cgroup_only_whole_processes_move),
		TEST(test_population_of_another_kind_heeds_no_cgroup),
		TEST(test_population_cgroup_borrower_of_memory_that_moves_leaves_its_parent_alone),
		TEST(test_population_cgroup_made_again_under_its_path_takes_its_place),
		TEST(test_population_cgroup_made_under_another_path_does_not),
		TEST(test_population_cgroup_path_as_long_as_can_be_is_compared_in_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
