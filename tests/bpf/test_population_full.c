/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process.bpf.c, population.bpf.h: scopes and numbers that have run out, and a ring that is full. */
#include "family.h"

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

/* User space begins the image and ends it when it hears of the end: the scope is its to give back. */
static void test_population_end_of_a_child_whose_birth_found_the_ring_full_is_told(void **state)
{
	struct event_process event;

	(void)state;
	population = POPULATION_ALL;
	stub.ring_capacity = 16;
	process_fork(&parent.task, &child.task);
	assert_int_equal(scope_row(FREE)->told, 0);
	stub.ring_capacity = 1 << 16;
	end(&child);
	event = next_event(EVENT_EXIT);
	assert_int_equal(event.header.process, FREE);
	assert_int_equal(event.pid, CHILD);
	assert_int_equal(event.scope, FREE);
	assert_int_equal(scope_row(FREE)->pid, 0);
	assert_free(ROOM - 1, ROOM - 1);
	assert_int_equal(population_unheard, 0);
}

static void test_population_child_whose_birth_and_end_found_the_ring_full_is_counted_and_its_scope_free(void **state)
{
	(void)state;
	population = POPULATION_ALL;
	stub.ring_capacity = 16;
	process_fork(&parent.task, &child.task);
	end(&child);
	assert_no_event();
	assert_int_equal(scope_of(CHILD), 0);
	assert_free(ROOM, ROOM - 1);
	assert_int_equal(population_unheard, 1);
}

/* Its scope is user space's, who finds it ended. */
static void test_population_end_that_finds_the_ring_full_leaves_the_scope_to_user_space(void **state)
{
	(void)state;
	population = POPULATION_ALL;
	process_fork(&parent.task, &child.task);
	next_event(EVENT_FORK);
	stub.ring_capacity = 16;
	end(&child);
	assert_no_event();
	assert_int_equal(scope_row(FREE)->pid, 0);
	assert_free(ROOM - 1, ROOM - 1);
	assert_int_equal(population_unheard, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_population_without_a_scope_left_is_counted_and_nothing_leaks),
		TEST(test_population_without_a_process_number_left_is_counted_and_nothing_leaks),
		TEST(test_population_that_user_space_was_first_with_leaks_nothing),
		TEST(test_population_birth_with_a_full_ring_counts_with_the_child_which_begins_all_the_same),
		TEST(test_population_end_of_a_child_whose_birth_found_the_ring_full_is_told),
		TEST(test_population_child_whose_birth_and_end_found_the_ring_full_is_counted_and_its_scope_free),
		TEST(test_population_end_that_finds_the_ring_full_leaves_the_scope_to_user_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
