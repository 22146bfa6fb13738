/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tables.c: tables of real files, requested, built and evicted, by many threads. */
#include <sched.h>

#include "table_gate.h"

/* --- requests --- */

static void test_request_twice_compiles_once(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	gate_set(true);
	assert_int_equal(unwind_tables_request(set, elfs[0]), 0);
	gate_await(1);
	assert_int_equal(unwind_tables_request(set, elfs[0]), 0);
	gate_set(false);
	unwind_tables_wait(set, -1);
	assert_int_equal(unwind_tables_request(set, elfs[0]), 0);
	map(0x1000, 0x2000, 0, 0, elfs[0]);
	publish(&scopes[0]);
	unwind_tables_wait(set, -1);
	assert_int_equal(gate.entered, 1);
	assert_is_loader(list_row(&scopes[0], 0)->table);
}

static void test_wait_with_nothing_requested_returns(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	unwind_tables_wait(set, -1);
	unwind_tables_wait(set, 0);
	unwind_tables_wait(set, 100000);
}

static void test_wait_gives_up_when_its_time_is_over(void **state)
{
	struct unwind_rule rule;

	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	gate_set(true);
	unwind_tables_request(set, elfs[0]);
	unwind_tables_wait(set, 0);
	unwind_tables_wait(set, 20);
	assert_int_equal(unwind_tables_rule(set, elfs[0], 0, &rule), -EAGAIN);
	gate_set(false);
	unwind_tables_wait(set, -1);
	assert_int_equal(unwind_tables_rule(set, elfs[0], 0, &rule), 0);
}

static void test_rule_of_every_offset_equals_lookup(void **state)
{
	struct cfi_rules *rules = cfi_rules_new();
	struct cfi_table expected;
	const struct unwind_rule *array;
	struct unwind_rule rule;
	u32 number, rule_count, known = 0;

	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	expected = compile_loader(rules);
	array = cfi_rules_get(rules, &rule_count);
	unwind_tables_request(set, elfs[0]);
	unwind_tables_request(set, elfs[1]);
	unwind_tables_wait(set, -1);
	for (u64 offset = 0; offset < (u64)expected.words[0] << UNWIND_PAGE_SHIFT; offset++) {
		assert_int_equal(cfi_lookup(&expected, offset, &number), 0);
		assert_int_equal(unwind_tables_rule(set, elfs[offset % 2], offset, &rule), 0);
		assert_memory_equal(&rule, &array[number], sizeof(rule));
		known += rule.cfa != CFA_UNKNOWN;
	}
	assert_true(known > 0x8000);
	cfi_table_release(&expected);
	cfi_rules_free(rules);
}

static void test_rule_of_file_never_asked_for_requests_its_table(void **state)
{
	struct unwind_rule rule;

	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	assert_int_equal(unwind_tables_rule(set, elfs[0], 0, &rule), -EAGAIN);
	unwind_tables_wait(set, -1);
	assert_int_equal(unwind_tables_rule(set, elfs[0], 0, &rule), 0);
	assert_int_equal(gate.entered, 1);
}

static void test_rule_behind_the_end_is_unknown(void **state)
{
	struct unwind_rule rule = {.cfa = CFA_SP};

	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	unwind_tables_request(set, elfs[0]);
	unwind_tables_wait(set, -1);
	assert_int_equal(unwind_tables_rule(set, elfs[0], UINT64_MAX, &rule), 0);
	assert_int_equal(rule.cfa, CFA_UNKNOWN);
}

/* --- room for two tables --- */

static void test_evict_unlisted_file_gives_way_the_oldest_first(void **state)
{
	struct unwind_rule rule;

	(void)state;
	begin_for_two();
	for (u32 i = 0; i < 3; i++)
		unwind_tables_request(set, elfs[i]);
	unwind_tables_wait(set, -1);
	assert_int_equal((*find_table(set, elfs[0]))->state, TABLE_EVICTED);
	assert_is_loader((*find_table(set, elfs[1]))->index);
	assert_is_loader((*find_table(set, elfs[2]))->index);
	/* Asked for, it comes back, and another gives way. */
	assert_int_equal(unwind_tables_rule(set, elfs[0], 0, &rule), -EAGAIN);
	unwind_tables_wait(set, -1);
	assert_int_equal(unwind_tables_rule(set, elfs[0], 0, &rule), 0);
	assert_int_equal((*find_table(set, elfs[1]))->state, TABLE_EVICTED);
	assert_is_loader((*find_table(set, elfs[0]))->index);
	assert_int_equal(gate.entered, 4);
}

static void test_evict_listed_file_never_gives_way(void **state)
{
	(void)state;
	begin_for_two();
	publish_elf(&scopes[0], elfs[0]);
	for (u32 i = 1; i < ELFS_MAX; i++)
		unwind_tables_request(set, elfs[i]);
	unwind_tables_wait(set, -1);
	assert_int_equal((*find_table(set, elfs[0]))->state, TABLE_READY);
	assert_int_equal((*find_table(set, elfs[0]))->index, list_row(&scopes[0], 0)->table);
	assert_is_loader(list_row(&scopes[0], 0)->table);
	assert_is_loader((*find_table(set, elfs[ELFS_MAX - 1]))->index);
}

static void test_evict_nothing_to_give_way_means_no_table(void **state)
{
	struct unwind_rule rule;

	(void)state;
	begin_for_two();
	for (u32 i = 0; i < 3; i++)
		publish_elf(&scopes[i], elfs[i]);
	assert_is_loader(list_row(&scopes[0], 0)->table);
	assert_is_loader(list_row(&scopes[1], 0)->table);
	assert_int_equal(list_row(&scopes[2], 0)->table, 0);
	assert_int_equal(list_row(&scopes[2], 0)->flags, UNWIND_MAPPING_NO_TABLE);
	assert_int_equal(unwind_tables_rule(set, elfs[2], 0, &rule), -ENOENT);
}

static void test_evict_listed_again_is_compiled_again(void **state)
{
	(void)state;
	begin_for_two();
	publish_elf(&scopes[0], elfs[0]);
	publish_elf(&scopes[0], elfs[1]);
	publish_elf(&scopes[0], elfs[2]);
	assert_int_equal((*find_table(set, elfs[0]))->state, TABLE_EVICTED);
	publish_elf(&scopes[1], elfs[0]);
	/* The fourth table that was made: what programs remember of the first one is not looked for. */
	assert_int_equal(list_row(&scopes[1], 0)->flags, 4 << UNWIND_NUMBER_SHIFT);
	assert_is_loader(list_row(&scopes[1], 0)->table);
	assert_is_loader(list_row(&scopes[0], 0)->table);
	assert_int_equal(gate.entered, 4);
}

static void test_withdraw_lets_tables_give_way(void **state)
{
	(void)state;
	begin_for_two();
	publish_elf(&scopes[0], elfs[0]);
	publish_elf(&scopes[1], elfs[1]);
	unwind_tables_withdraw(set, &scopes[0], NOW_NS);
	assert_int_equal(scopes[0].mappings_process, 0);
	unwind_tables_withdraw(set, &scopes[2], NOW_NS);
	publish_elf(&scopes[2], elfs[2]);
	assert_int_equal((*find_table(set, elfs[0]))->state, TABLE_EVICTED);
	assert_is_loader(list_row(&scopes[1], 0)->table);
	assert_is_loader(list_row(&scopes[2], 0)->table);
	/* The scope's next image. */
	publish_elf(&scopes[0], elfs[1]);
	assert_int_equal(list_row(&scopes[0], 0)->table, list_row(&scopes[1], 0)->table);
}

static void test_withdraw_while_compiling_leaves_old_rows_alone(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	gate_set(true);
	map(0x1000, 0x2000, 0, 0, elfs[0]);
	publish(&scopes[0]);
	gate_await(1);
	unwind_tables_withdraw(set, &scopes[0], NOW_NS);
	gate_set(false);
	unwind_tables_wait(set, -1);
	assert_int_equal(list_row(&scopes[0], 0)->table, 0);
}

/* --- files that are closed --- */

static void test_forget_file_of_a_table_makes_room_and_comes_back(void **state)
{
	struct unwind_rule rule;

	(void)state;
	begin_for_two();
	publish_elf(&scopes[0], elfs[0]);
	unwind_tables_request(set, elfs[1]);
	unwind_tables_wait(set, -1);
	assert_true(unwind_tables_forget(set, elfs[1]));
	assert_null(*find_table(set, elfs[1]));
	unwind_tables_request(set, elfs[2]);
	unwind_tables_wait(set, -1);
	assert_is_loader((*find_table(set, elfs[2]))->index);
	assert_is_loader(list_row(&scopes[0], 0)->table);
	assert_true(unwind_tables_forget(set, elfs[2]));
	assert_int_equal(unwind_tables_rule(set, elfs[1], 0, &rule), -EAGAIN);
	unwind_tables_wait(set, -1);
	assert_int_equal(unwind_tables_rule(set, elfs[1], 0, &rule), 0);
}

static void test_forget_file_never_asked_for_is_nothing(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	assert_true(unwind_tables_forget(set, elfs[0]));
}

static void test_forget_file_being_compiled_or_listed_is_refused(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	gate_set(true);
	unwind_tables_request(set, elfs[0]);
	gate_await(1);
	unwind_tables_request(set, elfs[1]);
	assert_false(unwind_tables_forget(set, elfs[0]));
	assert_false(unwind_tables_forget(set, elfs[1]));
	gate_set(false);
	publish_elf(&scopes[0], elfs[0]);
	assert_false(unwind_tables_forget(set, elfs[0]));
	unwind_tables_withdraw(set, &scopes[0], NOW_NS);
	assert_true(unwind_tables_forget(set, elfs[0]));
	assert_true(unwind_tables_forget(set, elfs[1]));
	assert_null(set->tables);
}

/* --- its end, and its threads --- */

static void *free_set(void *arg)
{
	unwind_tables_free(arg);
	return NULL;
}

static bool is_stopping(void)
{
	bool stopping;

	pthread_mutex_lock(&set->mutex);
	stopping = set->stopping;
	pthread_mutex_unlock(&set->mutex);
	return stopping;
}

static void test_free_leaves_work_undone(void **state)
{
	pthread_t thread;

	(void)state;
	unwind_tables_free(NULL);
	begin(UNWIND_ROWS_MAX, 64);
	gate_set(true);
	for (u32 i = 0; i < ELFS_MAX; i++)
		unwind_tables_request(set, elfs[i]);
	gate_await(1);
	assert_int_equal(pthread_create(&thread, NULL, free_set, set), 0);
	/* The set stays while the worker is behind the gate. */
	while (!is_stopping())
		sched_yield();
	gate_set(false);
	pthread_join(thread, NULL);
	set = NULL;
	assert_int_equal(gate.entered, 1);
}

static void *ask(void *arg)
{
	struct unwind_rule rule;
	u32 found = 0;

	(void)arg;
	for (u32 i = 0; i < 20000; i++) {
		int err = unwind_tables_rule(set, elfs[i % ELFS_MAX], i, &rule);

		if (err && err != -EAGAIN && err != -ENOENT)
			return (void *)-1;
		found += !err;
	}
	return found ? NULL : (void *)-1;
}

/* Publishing, asking, compiling and giving way at once: nothing to see but for the sanitizers. */
static void test_threads_at_once_stay_sound(void **state)
{
	pthread_t thread;
	void *result;

	(void)state;
	begin(1 + 4 * loader_words(), 1024);
	unwind_tables_request(set, elfs[0]);
	unwind_tables_wait(set, -1);
	assert_int_equal(pthread_create(&thread, NULL, ask, NULL), 0);
	for (u32 i = 0; i < 60; i++) {
		unmap_all();
		map(0x1000, 0x2000, 0, 0, elfs[0]);
		map(0x3000, 0x4000, 0, 0, elfs[i % ELFS_MAX]);
		publish(&scopes[i % 2]);
		unwind_tables_wait(set, 1);
		if (i % 10 == 9)
			unwind_tables_withdraw(set, &scopes[1], NOW_NS);
	}
	pthread_join(thread, &result);
	assert_null(result);
	publish_elf(&scopes[2], elfs[0]);
	assert_is_loader(list_row(&scopes[2], 0)->table);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_request_twice_compiles_once),
		TEST(test_wait_with_nothing_requested_returns),
		TEST(test_wait_gives_up_when_its_time_is_over),
		TEST(test_rule_of_every_offset_equals_lookup),
		TEST(test_rule_of_file_never_asked_for_requests_its_table),
		TEST(test_rule_behind_the_end_is_unknown),
		TEST(test_evict_unlisted_file_gives_way_the_oldest_first),
		TEST(test_evict_listed_file_never_gives_way),
		TEST(test_evict_nothing_to_give_way_means_no_table),
		TEST(test_evict_listed_again_is_compiled_again),
		TEST(test_withdraw_lets_tables_give_way),
		TEST(test_withdraw_while_compiling_leaves_old_rows_alone),
		TEST(test_forget_file_of_a_table_makes_room_and_comes_back),
		TEST(test_forget_file_never_asked_for_is_nothing),
		TEST(test_forget_file_being_compiled_or_listed_is_refused),
		TEST(test_free_leaves_work_undone),
		TEST(test_threads_at_once_stay_sound),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
