/* SPDX-License-Identifier: GPL-2.0-or-later */
/* raw_stacks.c: raw stacks that wait for tables which do not come are bounded in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "binary/elf.h"
#include "unwind/tables.h"

static int said_rule(struct unwind_tables *set, struct elf *elf, u64 offset, struct unwind_rule *ret_rule);
static void said_wait(struct unwind_tables *set, int milliseconds);

#define unwind_tables_rule said_rule
#define unwind_tables_wait said_wait
#include "unwind/walk.c"
#include "trace/raw_stacks.c"
#undef unwind_tables_rule
#undef unwind_tables_wait

#define WAITING_BYTES_MAX (16U << 20)

#define PROCESS 3
#define CODE	0x400000
#define ENOUGH	4096 /* of the largest are four times what may wait */

static struct recorder *recorder;
static struct raw_stacks *unwinder;
static struct image *process;
static struct event_raw event;
static bool ready, ready_if_waited_for;

static int said_rule(struct unwind_tables *set, struct elf *elf, u64 offset, struct unwind_rule *ret_rule)
{
	(void)set, (void)elf;
	if (!ready && offset < 0x1000)
		return -EAGAIN;
	*ret_rule = (struct unwind_rule){.cfa = CFA_END};
	return 0;
}

static void said_wait(struct unwind_tables *set, int milliseconds)
{
	(void)set;
	assert_int_equal(milliseconds, RELIEF_MS);
	ready = ready_if_waited_for;
}

static int setup(void **state)
{
	struct mapping mapping = {.start = CODE, .end = CODE + 0x2000, .elf = (struct elf *)&event};

	(void)state;
	ready = ready_if_waited_for = false;
	recorder = recorder_new(&(struct recorder_options){.sample_bytes = 1});
	unwinder = raw_stacks_new(NULL, recorder, WAITING_BYTES_MAX);
	if (!recorder || !unwinder || recorder_begin(recorder, PROCESS, 500, 1, 10, &process))
		return -1;
	event = (struct event_raw){.header = {.kind = EVENT_RAW, .process = PROCESS, .time_ns = 50},
				   .ip = CODE + 0x10,
				   .sp = 0x7ffd00001000,
				   .size = RAW_STACK_BYTES};
	return recorder_map(recorder, 500, &mapping);
}

static int teardown(void **state)
{
	(void)state;
	raw_stacks_free(unwinder);
	recorder_free(recorder);
	return 0;
}

static void add(u64 number)
{
	event.stack = RAW_STACK_ID | number;
	assert_int_equal(raw_stacks_add(unwinder, &event, offsetof(struct event_raw, bytes) + event.size), 0);
	assert_true(unwinder->bytes <= WAITING_BYTES_MAX);
}

static const struct stack *found(u64 number)
{
	return stack_table_find(&process->stacks, RAW_STACK_ID | number);
}

static u64 no_table(void)
{
	return process->ledger[COUNTER_STACK_NO_TABLE];
}

static void test_waiting_beyond_the_bound_the_oldest_end(void **state)
{
	u64 settled, i;

	(void)state;
	for (i = 0; i < ENOUGH; i++)
		add(i);
	settled = no_table();
	assert_true(settled >= ENOUGH - (WAITING_BYTES_MAX / RAW_STACK_BYTES) && settled < ENOUGH);
	for (i = 0; i < ENOUGH; i++)
		assert_int_equal(found(i) != NULL, i < settled);
	ready = true;
	raw_stacks_settle(unwinder, false);
	for (i = 0; i < ENOUGH; i++)
		assert_int_equal(found(i)->depth, 1);
	assert_int_equal(no_table(), settled);
	assert_int_equal(unwinder->bytes, 0);
	add(ENOUGH);
	raw_stacks_settle(unwinder, false);
	assert_non_null(found(ENOUGH));
}

static void test_waiting_within_the_bound_all_stay(void **state)
{
	u64 size = offsetof(struct raw, event.bytes) + RAW_STACK_BYTES, most = WAITING_BYTES_MAX / size;

	(void)state;
	for (u64 i = 0; i < most; i++)
		add(i);
	assert_int_equal(no_table(), 0);
	assert_null(process->stacks.stacks);
	add(most);
	assert_true(no_table() > 0);
	assert_non_null(found(0));
	assert_null(found(most));
}

/* Stacks whose tables are ready leave first, wherever they are in the queue. */
static void test_waiting_for_nothing_makes_room(void **state)
{
	(void)state;
	add(0);
	event.ip = CODE + 0x1010;
	for (u64 i = 1; i < ENOUGH; i++)
		add(i);
	assert_int_equal(no_table(), 0);
	assert_null(found(0));
	ready = true;
	raw_stacks_settle(unwinder, false);
	for (u64 i = 0; i < ENOUGH; i++)
		assert_non_null(found(i));
}

/* A table that is slow to come is waited for before any stack is given up. */
static void test_waiting_for_a_slow_table_gives_up_nothing(void **state)
{
	(void)state;
	ready_if_waited_for = true;
	for (u64 i = 0; i < ENOUGH; i++)
		add(i);
	raw_stacks_settle(unwinder, false);
	assert_int_equal(no_table(), 0);
	for (u64 i = 0; i < ENOUGH; i++)
		assert_non_null(found(i));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_waiting_beyond_the_bound_the_oldest_end),
		TEST(test_waiting_within_the_bound_all_stay),
		TEST(test_waiting_for_nothing_makes_room),
		TEST(test_waiting_for_a_slow_table_gives_up_nothing),
	};

	return cmocka_run_group_tests_name("unwind waiting", tests, NULL, NULL);
}
