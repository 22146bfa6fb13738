/* SPDX-License-Identifier: GPL-2.0-or-later */
/* raw_stacks.c: raw stacks that wait for their tables and mappings, and how each is counted. */
#include <errno.h>

#include "unit/unwind/raw_stack.h"

static void said_wait(struct unwind_tables *set, int milliseconds);

#define unwind_tables_wait said_wait
#include "trace/raw_stacks.c"
#undef unwind_tables_wait

/* How often the end has waited, and after how often the table is there. */
static int waits, waits_needed;

static void said_wait(struct unwind_tables *tables, int milliseconds)
{
	(void)tables;
	assert_true(milliseconds == -1 || milliseconds == RELIEF_MS);
	if (++waits == waits_needed)
		rule_error = 0;
}

static struct recorder *recorder;
static struct raw_stacks *unwinder;
static struct image *process;

static int setup_unwinder(void **state)
{
	struct recorder_options options = {.sample_bytes = 1};

	setup(state);
	waits = waits_needed = 0;
	recorder = recorder_new(&options);
	unwinder = raw_stacks_new(NULL, recorder, 16U << 20);
	if (!recorder || !unwinder || recorder_begin(recorder, PROCESS, 500, 1, 10, &process))
		return -1;
	map_made_up(process->mappings);
	words[1] = code(2);
	return 0;
}

static int teardown_unwinder(void **state)
{
	raw_stacks_free(unwinder);
	recorder_free(recorder);
	return teardown(state);
}

static size_t event_bytes(void)
{
	return offsetof(struct event_raw, bytes) + event.size;
}

static void add(u64 id)
{
	event.stack = id;
	assert_int_equal(raw_stacks_add(unwinder, &event, event_bytes()), 0);
}

static const struct stack *found(u64 id)
{
	return stack_table_find(&process->stacks, id);
}

static void test_unwinder_malformed_event_is_refused(void **state)
{
	(void)state;
	assert_int_equal(raw_stacks_add(unwinder, &event, 0), -EBADMSG);
	assert_int_equal(raw_stacks_add(unwinder, &event, offsetof(struct event_raw, bytes) - 1), -EBADMSG);
	assert_int_equal(raw_stacks_add(unwinder, &event, event_bytes() - 1), -EBADMSG);
	event.size = RAW_STACK_BYTES + 1;
	assert_int_equal(raw_stacks_add(unwinder, &event, sizeof(event) + 8), -EBADMSG);
	event.size = UINT32_MAX;
	assert_int_equal(raw_stacks_add(unwinder, &event, sizeof(event)), -EBADMSG);
	raw_stacks_settle(unwinder, true);
	assert_null(process->stacks.stacks);
}

static void test_unwinder_settles_what_has_its_tables(void **state)
{
	(void)state;
	add(STACK_ID);
	assert_null(found(STACK_ID));
	raw_stacks_settle(unwinder, false);
	assert_non_null(found(STACK_ID));
	assert_int_equal(found(STACK_ID)->depth, 2);
	assert_true(found(STACK_ID)->ip[1] == code(2));
	assert_int_equal(found(STACK_ID)->first_ns, 50);
	for (u32 i = 0; i < COUNTER_MAX; i++)
		assert_int_equal(process->ledger[i], 0);
}

static void test_unwinder_waits_for_tables(void **state)
{
	(void)state;
	rule_error = -EAGAIN;
	add(STACK_ID);
	add(STACK_ID + 1);
	for (u32 i = 0; i < 3; i++)
		raw_stacks_settle(unwinder, false);
	assert_null(process->stacks.stacks);
	rule_error = 0;
	add(STACK_ID + 2);
	raw_stacks_settle(unwinder, false);
	for (u64 id = STACK_ID; id < STACK_ID + 3; id++)
		assert_int_equal(found(id)->depth, 2);
	add(STACK_ID + 3);
	raw_stacks_settle(unwinder, false);
	assert_non_null(found(STACK_ID + 3));
}

static void test_unwinder_at_the_end_missing_tables_end_stacks(void **state)
{
	(void)state;
	rule_error = -EAGAIN;
	add(STACK_ID);
	raw_stacks_settle(unwinder, true);
	assert_int_equal(found(STACK_ID)->depth, 1);
	assert_int_equal(process->ledger[COUNTER_STACK_NO_TABLE], 1);
	assert_int_equal(waits, WAITS_MAX);
}

/* An image that ended at once: no tables were requested before. The walk requests each file's when it gets there. */
static void test_unwinder_at_the_end_waits_for_one_table_after_the_other(void **state)
{
	(void)state;
	rule_error = -EAGAIN;
	waits_needed = 3;
	add(STACK_ID);
	raw_stacks_settle(unwinder, true);
	assert_int_equal(waits, 3);
	assert_int_equal(found(STACK_ID)->depth, 2);
	assert_int_equal(process->ledger[COUNTER_STACK_NO_RULE], 0);
}

static void test_unwinder_no_memory_for_table_is_no_reason_to_guess(void **state)
{
	(void)state;
	rule_error = -ENOMEM;
	event.bp = STACK + 32;
	add(STACK_ID);
	raw_stacks_settle(unwinder, true);
	assert_int_equal(found(STACK_ID)->depth, 1);
	assert_int_equal(process->ledger[COUNTER_STACK_FRAME_POINTER], 0);
	assert_int_equal(process->ledger[COUNTER_STACK_NO_TABLE], 1);
}

/* Word of it comes through another stream. */
static void test_unwinder_waits_one_look_for_mapping(void **state)
{
	(void)state;
	words[1] = BEHIND_CODE + 15;
	rules[0] = (struct unwind_rule){.cfa = CFA_END};
	add(STACK_ID);
	raw_stacks_settle(unwinder, false);
	assert_null(found(STACK_ID));
	map(process->mappings, CODE_END, CODE_END + 0x1000, 40, made_up);
	raw_stacks_settle(unwinder, false);
	assert_int_equal(found(STACK_ID)->depth, 2);
	assert_int_equal(process->ledger[COUNTER_STACK_NO_MAPPING], 0);
}

static void test_unwinder_no_mapping_at_second_look_is_counted(void **state)
{
	(void)state;
	words[1] = BEHIND_CODE;
	add(STACK_ID);
	raw_stacks_settle(unwinder, false);
	assert_null(found(STACK_ID));
	raw_stacks_settle(unwinder, false);
	assert_int_equal(found(STACK_ID)->depth, 2);
	assert_int_equal(process->ledger[COUNTER_STACK_NO_MAPPING], 1);
}

static void test_unwinder_counts_every_end(void **state)
{
	(void)state;
	words[1] = code(5);
	event.bp = STACK;
	add(STACK_ID);
	words[1] = code(3);
	rules[3] = (struct unwind_rule){.cfa = CFA_BP, .offset = 16};
	event.bp = STACK;
	add(STACK_ID + 1);
	event.bp = 0;
	add(STACK_ID + 2);
	words[1] = OTHER_CODE + 8;
	event.bp = STACK + 32;
	words[5] = code(2);
	add(STACK_ID + 3);
	rules[8].cfa = CFA_SP;
	rules[8].offset = 8;
	event.ip = code(8);
	event.size = RAW_STACK_BYTES;
	for (u32 i = 0; i < 200; i++)
		words[i] = code(8);
	add(STACK_ID + 4);
	raw_stacks_settle(unwinder, false);
	assert_int_equal(process->ledger[COUNTER_STACK_NO_RULE], 1);
	assert_int_equal(process->ledger[COUNTER_STACK_STUCK], 1);
	assert_int_equal(process->ledger[COUNTER_STACK_UNREADABLE], 1);
	assert_int_equal(process->ledger[COUNTER_STACK_FRAME_POINTER], 1);
	assert_int_equal(process->ledger[COUNTER_STACK_TRUNCATED], 1);
	assert_int_equal(found(STACK_ID + 4)->depth, STACK_DEPTH_MAX);
	assert_int_equal(found(STACK_ID + 4)->ip[STACK_LEAF_MAX], STACK_LEFT_OUT);
	assert_int_equal(found(STACK_ID + 3)->depth, 3);
}

static void test_unwinder_stack_of_unknown_process_is_dropped(void **state)
{
	(void)state;
	event.header.process = PROCESS + 1;
	add(STACK_ID);
	raw_stacks_settle(unwinder, false);
	event.header.process = PROCESS;
	add(STACK_ID + 1);
	raw_stacks_settle(unwinder, false);
	assert_null(found(STACK_ID));
	assert_non_null(found(STACK_ID + 1));
}

static void test_unwinder_free_with_stacks_left(void **state)
{
	(void)state;
	rule_error = -EAGAIN;
	add(STACK_ID);
	add(STACK_ID + 1);
	raw_stacks_settle(unwinder, false);
	raw_stacks_free(NULL);
}

#define UNWINDER(name) cmocka_unit_test_setup_teardown(name, setup_unwinder, teardown_unwinder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNWINDER(test_unwinder_malformed_event_is_refused),
		UNWINDER(test_unwinder_settles_what_has_its_tables),
		UNWINDER(test_unwinder_waits_for_tables),
		UNWINDER(test_unwinder_at_the_end_missing_tables_end_stacks),
		UNWINDER(test_unwinder_at_the_end_waits_for_one_table_after_the_other),
		UNWINDER(test_unwinder_no_memory_for_table_is_no_reason_to_guess),
		UNWINDER(test_unwinder_waits_one_look_for_mapping),
		UNWINDER(test_unwinder_no_mapping_at_second_look_is_counted),
		UNWINDER(test_unwinder_counts_every_end),
		UNWINDER(test_unwinder_stack_of_unknown_process_is_dropped),
		UNWINDER(test_unwinder_free_with_stacks_left),
	};

	return cmocka_run_group_tests_name("unwinder", tests, NULL, NULL);
}
