/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process.bpf.c, population.bpf.h: which processes join a population, from when, and until when. */
#include "family.h"

/* --- births --- */

static void test_population_follow_child_is_traced_from_its_birth(void **state)
{
	(void)state;
	population = POPULATION_FOLLOW;
	trace_parent();
	litter_free_rows();
	process_fork(&parent.task, &child.task);
	assert_child_begins(EVENT_FORK, PARENT);
	assert_int_equal(scope_row(FREE)->new_max, 12345);
	assert_int_equal(counted(COUNTER_CHILDREN), 0);
	assert_int_equal(scope_row(SCOPE)->process, PROCESS);
}

/* It has its parent's memory, and the sampler in it, until it executes another program. */
static void test_population_child_of_a_sampled_process_is_sampled_until_its_exec(void **state)
{
	(void)state;
	population = POPULATION_FOLLOW;
	trace_parent();
	litter_free_rows();
	scope_row(SCOPE)->wide = SCOPE_INLINE;
	process_fork(&parent.task, &child.task);
	assert_int_equal(scope_row(FREE)->wide, SCOPE_INLINE);
	become(&child);
	process_exec(&child.task, CHILD);
	assert_int_equal(scope_row(FREE)->wide, 1);
	assert_int_equal(scope_row(SCOPE)->wide, SCOPE_INLINE);
}

static void test_population_follow_stranger_is_not_traced(void **state)
{
	(void)state;
	population = POPULATION_FOLLOW;
	process_fork(&parent.task, &child.task);
	assert_child_is_not_traced();
	become(&child);
	process_exec(&child.task, CHILD);
	assert_child_is_not_traced();
}

static void test_population_listed_child_is_counted_and_not_traced(void **state)
{
	(void)state;
	trace_parent();
	process_fork(&parent.task, &child.task);
	assert_child_is_not_traced();
	assert_int_equal(counted(COUNTER_CHILDREN), 1);
}

static void test_population_cgroup_whoever_is_born_in_it_or_below_is_traced(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		setup(NULL);
		population = POPULATION_CGROUP;
		child.set.dfl_cgrp = &(i ? below : inside)->cgroup;
		litter_free_rows();
		process_fork(&parent.task, &child.task);
		assert_child_begins(EVENT_FORK, PARENT);
		assert_int_equal(scope_row(FREE)->new_max, 0);
	}
}

static void test_population_cgroup_whoever_is_born_beside_or_above_is_not(void **state)
{
	(void)state;
	population = POPULATION_CGROUP;
	trace_parent();
	process_fork(&parent.task, &child.task);
	assert_child_is_not_traced();
	assert_int_equal(counted(COUNTER_CHILDREN), 1);
	child.set.dfl_cgrp = &root->cgroup;
	process_fork(&parent.task, &child.task);
	assert_child_is_not_traced();
}

static void test_population_all_everybody_is_traced_but_the_kernels_own(void **state)
{
	(void)state;
	population = POPULATION_ALL;
	child.task.mm = NULL;
	process_fork(&parent.task, &child.task);
	assert_child_is_not_traced();
	child.task.mm = &child.mm;
	process_fork(&parent.task, &child.task);
	assert_child_begins(EVENT_FORK, PARENT);
}

static void test_population_thread_is_no_child(void **state)
{
	(void)state;
	population = POPULATION_ALL;
	child.task.tgid = PARENT;
	process_fork(&parent.task, &child.task);
	assert_child_is_not_traced();
}

static void test_population_heaptap_and_its_children_are_never_taken(void **state)
{
	(void)state;
	child.task.real_parent = &heaptap.task;
	heaptap.set.dfl_cgrp = &inside->cgroup;
	for (u32 who = POPULATION_LISTED; who <= POPULATION_ALL; who++) {
		population = who;
		become(&heaptap);
		process_fork(&heaptap.task, &child.task);
		process_exec(&heaptap.task, HEAPTAP);
		process_moved(&inside->cgroup, "/inside", &heaptap.task, true);
		assert_int_equal(scope_of(HEAPTAP), 0);
		become(&child);
		process_exec(&child.task, CHILD);
		assert_child_is_not_traced();
	}
}

/* The process that holds the links forks children to close them, in whatever group heaptap is. */
static void test_population_keeper_and_its_children_are_never_taken(void **state)
{
	(void)state;
	child.task.real_parent = &keeper.task;
	child.set.dfl_cgrp = keeper.set.dfl_cgrp = &inside->cgroup;
	for (u32 who = POPULATION_LISTED; who <= POPULATION_ALL; who++) {
		population = who;
		become(&keeper);
		process_fork(&keeper.task, &child.task);
		process_moved(&inside->cgroup, "/inside", &keeper.task, true);
		assert_int_equal(scope_of(KEEPER), 0);
		process_moved(&inside->cgroup, "/inside", &child.task, true);
		assert_child_is_not_traced();
	}
}

static void test_population_numbers_are_those_of_heaptaps_namespace(void **state)
{
	struct event_process event;

	(void)state;
	population = POPULATION_ALL;
	config.pidns_inum = 5000;
	config.self = HEAPTAP + 50000;
	process_fork(&parent.task, &child.task);
	event = next_event(EVENT_FORK);
	assert_int_equal(event.pid, CHILD + 50000);
	assert_int_equal(event.tid, PARENT + 50000);
	child.task.real_parent = &heaptap.task;
	process_fork(&heaptap.task, &child.task);
	assert_no_event();
}

/* Nor is it one too many. */
static void test_population_process_without_a_number_here_is_not_traced(void **state)
{
	(void)state;
	population = POPULATION_ALL;
	config.pidns_inum = 5001;
	process_fork(&parent.task, &child.task);
	assert_child_is_not_traced();
}

/* --- memory that is shared --- */

static void test_population_child_in_its_parents_memory_books_to_it(void **state)
{
	u32 number = 0;

	(void)state;
	population = POPULATION_FOLLOW;
	share_memory();
	assert_no_event();
	assert_free(ROOM, ROOM);
	become(&child);
	assert_ptr_equal(filter_scope(&number), scope_row(SCOPE));
	assert_int_equal(number, SCOPE);
}

static void test_population_child_in_its_parents_memory_execs_into_its_own(void **state)
{
	static const u32 populations[] = {POPULATION_FOLLOW, POPULATION_CGROUP, POPULATION_ALL};

	(void)state;
	for (u32 i = 0; i < 3; i++) {
		setup(NULL);
		population = populations[i];
		child.set.dfl_cgrp = &inside->cgroup;
		share_memory();
		litter_free_rows();
		become(&child);
		child.task.mm = &child.mm;
		process_exec(&child.task, CHILD);
		assert_child_begins(EVENT_EXEC, CHILD);
		assert_int_equal(scope_row(FREE)->new_max, 12345);
		assert_int_equal(scope_of(PARENT), SCOPE);
		assert_int_equal(scope_row(SCOPE)->process, PROCESS);
		assert_int_equal(scope_row(SCOPE)->mappings, 77);
	}
}

static void test_population_child_in_its_parents_memory_ends_alone(void **state)
{
	(void)state;
	population = POPULATION_FOLLOW;
	share_memory();
	end(&child);
	assert_child_is_not_traced();
	assert_int_equal(scope_of(PARENT), SCOPE);
	assert_int_equal(scope_row(SCOPE)->process, PROCESS);
}

static void test_population_over_when_a_child_leaves_its_parents_memory(void **state)
{
	(void)state;
	population = POPULATION_FOLLOW;
	share_memory();
	population = POPULATION_LISTED;
	become(&child);
	process_exec(&child.task, CHILD);
	assert_child_is_not_traced();
	assert_int_equal(scope_row(SCOPE)->process, PROCESS);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_population_follow_child_is_traced_from_its_birth),
		TEST(test_population_child_of_a_sampled_process_is_sampled_until_its_exec),
		TEST(test_population_follow_stranger_is_not_traced),
		TEST(test_population_listed_child_is_counted_and_not_traced),
		TEST(test_population_cgroup_whoever_is_born_in_it_or_below_is_traced),
		TEST(test_population_cgroup_whoever_is_born_beside_or_above_is_not),
		TEST(test_population_all_everybody_is_traced_but_the_kernels_own),
		TEST(test_population_thread_is_no_child),
		TEST(test_population_heaptap_and_its_children_are_never_taken),
		TEST(test_population_keeper_and_its_children_are_never_taken),
		TEST(test_population_numbers_are_those_of_heaptaps_namespace),
		TEST(test_population_process_without_a_number_here_is_not_traced),
		TEST(test_population_child_in_its_parents_memory_books_to_it),
		TEST(test_population_child_in_its_parents_memory_execs_into_its_own),
		TEST(test_population_child_in_its_parents_memory_ends_alone),
		TEST(test_population_over_when_a_child_leaves_its_parents_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
