/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process.bpf.c, population.bpf.h: who is traced without having been named, from when, and until when. */
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

static void test_population_process_without_a_number_here_is_counted(void **state)
{
	(void)state;
	population = POPULATION_ALL;
	config.pidns_inum = 5001;
	process_fork(&parent.task, &child.task);
	assert_no_event();
	assert_free(ROOM, ROOM);
	assert_int_equal(population_refused, 1);
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

/* --- only some of a population --- */

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

/* --- numbers that run out --- */

static void use_up(struct stub_map *queue)
{
	u32 number;

	while (!stub_pop(queue, &number))
		;
}

static void test_population_without_a_scope_left_is_counted_and_nothing_leaks(void **state)
{
	(void)state;
	population = POPULATION_ALL;
	use_up(STUB_QUEUE(&free_scopes));
	process_fork(&parent.task, &child.task);
	assert_no_event();
	assert_int_equal(scope_of(CHILD), 0);
	assert_free(0, ROOM);
	assert_int_equal(population_refused, 1);
	end(&child);
	assert_free(0, ROOM);
}

static void test_population_without_a_process_number_left_is_counted_and_nothing_leaks(void **state)
{
	(void)state;
	population = POPULATION_ALL;
	use_up(STUB_QUEUE(&free_processes));
	process_fork(&parent.task, &child.task);
	assert_no_event();
	assert_int_equal(population_refused, 1);
	assert_free(ROOM - 1, 0);
	end(&child);
	assert_no_event();
	assert_free(ROOM, 0);
	assert_int_equal(scope_of(CHILD), 0);
}

static void test_population_that_user_space_was_first_with_leaks_nothing(void **state)
{
	u32 pid = CHILD, number = SCOPE;

	(void)state;
	population = POPULATION_ALL;
	bpf_map_update_elem(&scope_by_pid, &pid, &number, BPF_ANY);
	process_fork(&parent.task, &child.task);
	assert_no_event();
	assert_int_equal(scope_of(CHILD), SCOPE);
	assert_free(ROOM, ROOM);
}

static void test_population_birth_with_a_full_ring_counts_with_the_child_which_begins_all_the_same(void **state)
{
	u32 row = FREE;

	(void)state;
	population = POPULATION_ALL;
	stub.ring_capacity = 16;
	process_fork(&parent.task, &child.task);
	assert_int_equal(scope_row(FREE)->process, FREE);
	assert_int_equal(((struct tally *)bpf_map_lookup_elem(&tallies, &row))->count[COUNTER_EVENT_LOST], 1);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_population_follow_child_is_traced_from_its_birth),
		TEST(test_population_follow_stranger_is_not_traced),
		TEST(test_population_listed_child_is_counted_and_not_traced),
		TEST(test_population_cgroup_whoever_is_born_in_it_or_below_is_traced),
		TEST(test_population_cgroup_whoever_is_born_beside_or_above_is_not),
		TEST(test_population_all_everybody_is_traced_but_the_kernels_own),
		TEST(test_population_thread_is_no_child),
		TEST(test_population_heaptap_and_its_children_are_never_taken),
		TEST(test_population_numbers_are_those_of_heaptaps_namespace),
		TEST(test_population_process_without_a_number_here_is_counted),
		TEST(test_population_child_in_its_parents_memory_books_to_it),
		TEST(test_population_child_in_its_parents_memory_execs_into_its_own),
		TEST(test_population_child_in_its_parents_memory_ends_alone),
		TEST(test_population_over_when_a_child_leaves_its_parents_memory),
		TEST(test_population_comm_child_is_followed_in_silence_until_it_has_the_name),
		TEST(test_population_comm_of_fifteen_characters_is_compared_as_a_whole),
		TEST(test_population_exe_is_a_file_by_inode_and_device),
		TEST(test_population_exec_of_whoever_is_wanted_now_begins_its_image),
		TEST(test_population_silent_scope_goes_back_at_the_end_once),
		TEST(test_population_two_last_threads_give_a_silent_scope_back_once),
		TEST(test_population_without_a_scope_left_is_counted_and_nothing_leaks),
		TEST(test_population_without_a_process_number_left_is_counted_and_nothing_leaks),
		TEST(test_population_that_user_space_was_first_with_leaks_nothing),
		TEST(test_population_birth_with_a_full_ring_counts_with_the_child_which_begins_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
