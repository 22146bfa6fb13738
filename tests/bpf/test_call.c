/* SPDX-License-Identifier: GPL-2.0-or-later */
/* call.bpf.h: arguments out of registers, calls of the allocator by itself, and calls remembered until they return. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf_stub.h"

#include "bpf/call.bpf.h"

#define PROCESS 5
#define BASE	0x7f0000000000 /* where the allocator file is mapped */

#include "told.h"

static int setup(void **state)
{
	(void)state;
	stub_reset(1 << 20);
	stub.pid_tgid = (u64)99 << 32 | 100;
	config = (struct config){.sample_bytes = 1, .ring_half = 1 << 19, .tally_mask = SCOPES_MIN - 1};
	return 0;
}

static void test_call_register_every_number_reads_its_own_register(void **state)
{
	struct pt_regs regs = {
		.ax = 100,
		.cx = 101,
		.dx = 102,
		.bx = 103,
		.sp = 104,
		.bp = 105,
		.si = 106,
		.di = 107,
		.r8 = 108,
		.r9 = 109,
		.r10 = 110,
		.r11 = 111,
		.r12 = 112,
		.r13 = 113,
		.r14 = 114,
		.r15 = 115,
	};

	(void)state;
	for (u32 reg = ARG_AX; reg <= ARG_R15; reg++) {
		/* The stack pointer never holds an argument. */
		if (reg != ARG_SP)
			assert_int_equal(call_register(&regs, reg), 100 + reg);
	}
}

static void test_call_register_no_such_register_is_zero(void **state)
{
	struct pt_regs regs;

	(void)state;
	memset(&regs, 0xff, sizeof(regs));
	assert_int_equal(call_register(&regs, ARG_SP), 0);
	assert_int_equal(call_register(&regs, 16), 0);
}

/* --- nested calls --- */

/* Allocator 3 of probed functions [0x1000, 0x1100) and [0x2000, 0x2040); a hit at its file offset 0x1009. */
static bool is_nested(u64 return_ip)
{
	struct ranges ranges = {.count = 2, .range = {{0x1000, 0x1100}, {0x2000, 0x2040}}};
	struct pt_regs regs = {.ip = BASE + 0x1009, .sp = (u64)(uintptr_t)&return_ip};
	u32 allocator = 3;

	assert_int_equal(bpf_map_update_elem(&allocator_ranges, &allocator, &ranges, BPF_ANY), 0);
	return call_is_nested(&regs, cookie_make(CALL_MALLOC, ARG_DI, 0, 1, allocator, 0x1009));
}

static void test_call_is_nested_return_into_a_probed_function_is(void **state)
{
	(void)state;
	assert_true(is_nested(BASE + 0x1000));
	assert_true(is_nested(BASE + 0x10ff));
	assert_true(is_nested(BASE + 0x2000));
	assert_true(is_nested(BASE + 0x203f));
}

/* The other one is at a function's first instruction; ours is behind that. */
static void test_call_is_nested_return_that_another_probe_hides_is(void **state)
{
	const u64 trampoline = 0x7fffffffd000;
	struct ranges ranges = {.count = 1, .range = {{0x1000, 0x1100}}};
	struct return_instance probe = {.stack = (u64)(uintptr_t)&trampoline, .orig_ret_vaddr = BASE + 0x1000};
	struct uprobe_task probes = {.return_instances = &probe};
	struct xol_area area = {.vaddr = trampoline};
	struct mm_struct mm = {.uprobes_state = {.xol_area = &area}};
	struct task_struct task = {.utask = &probes, .mm = &mm};
	struct pt_regs regs = {.ip = BASE + 0x1009, .sp = (u64)(uintptr_t)&trampoline};
	u32 allocator = 3;

	(void)state;
	assert_int_equal(bpf_map_update_elem(&allocator_ranges, &allocator, &ranges, BPF_ANY), 0);
	assert_false(call_is_nested(&regs, cookie_make(CALL_MALLOC, ARG_DI, 0, 1, allocator, 0x1009)));
	stub.task = &task;
	assert_true(call_is_nested(&regs, cookie_make(CALL_MALLOC, ARG_DI, 0, 1, allocator, 0x1009)));
	stub.task = &stub_task;
}

static void test_call_is_nested_return_beside_a_probed_function_is_not(void **state)
{
	(void)state;
	assert_false(is_nested(BASE + 0xfff));
	assert_false(is_nested(BASE + 0x1100));
	assert_false(is_nested(BASE + 0x1fff));
	assert_false(is_nested(BASE + 0x2040));
	assert_false(is_nested(BASE));
}

static void test_call_is_nested_return_outside_the_file_is_not(void **state)
{
	(void)state;
	assert_false(is_nested(0x401000));
	assert_false(is_nested(BASE - 1));
	assert_false(is_nested(BASE + (1ULL << 32) + 0x1010));
}

static void test_call_is_nested_other_allocators_ranges_do_not_count(void **state)
{
	u64 return_ip = BASE + 0x1010;
	struct pt_regs regs = {.ip = BASE + 0x1009, .sp = (u64)(uintptr_t)&return_ip};

	(void)state;
	assert_true(is_nested(return_ip));
	assert_false(call_is_nested(&regs, cookie_make(CALL_MALLOC, ARG_DI, 0, 1, 4, 0x1009)));
}

static void test_call_is_nested_unreadable_stack_is_not(void **state)
{
	struct pt_regs regs = {.ip = BASE + 0x1009, .sp = 8};

	(void)state;
	assert_true(is_nested(BASE + 0x1010));
	assert_false(call_is_nested(&regs, cookie_make(CALL_MALLOC, ARG_DI, 0, 1, 3, 0x1009)));
}

static void test_call_is_nested_full_table_of_ranges_is_searched_to_its_end(void **state)
{
	struct ranges ranges = {.count = RANGES_MAX};
	u64 return_ip = BASE + 0x10000 + 0x100 * (RANGES_MAX - 1);
	struct pt_regs regs = {.ip = BASE + 0x1009, .sp = (u64)(uintptr_t)&return_ip};
	u64 cookie = cookie_make(CALL_MALLOC, ARG_DI, 0, 1, ALLOCATORS_MAX - 1, 0x1009);
	u32 allocator = ALLOCATORS_MAX - 1;

	(void)state;
	for (u32 i = 0; i < RANGES_MAX; i++)
		ranges.range[i] = (struct range){0x10000 + 0x100 * i, 0x10000 + 0x100 * i + 0x80};
	bpf_map_update_elem(&allocator_ranges, &allocator, &ranges, BPF_ANY);
	assert_true(call_is_nested(&regs, cookie));
	return_ip = BASE + 0x10000 + 0x100 * RANGES_MAX;
	assert_false(call_is_nested(&regs, cookie));
}

/* --- calls remembered --- */

static bool remember(u64 sp, u64 size, u8 was_sampled)
{
	struct pt_regs regs = {.sp = sp};
	struct stash stash = {.size = size, .process = PROCESS, .kind = CALL_MALLOC, .sampled = was_sampled};

	return call_remember(&regs, &stash);
}

static u64 remembered_size(u64 sp)
{
	struct stash_key key = call_key(sp);
	struct stash *stash = bpf_map_lookup_elem(&stashes, &key);

	return stash ? stash->size : 0;
}

static void test_call_remember_calls_are_told_apart_by_thread_and_stack_pointer(void **state)
{
	(void)state;
	assert_true(remember(0x1000, 11, 1));
	assert_true(remember(0x0f00, 22, 1));
	stub.pid_tgid++;
	assert_true(remember(0x1000, 33, 1));
	assert_int_equal(remembered_size(0x1000), 33);
	assert_int_equal(remembered_size(0x0f00), 0);
	stub.pid_tgid--;
	assert_int_equal(remembered_size(0x1000), 11);
	assert_int_equal(remembered_size(0x0f00), 22);
	assert_int_equal(counted(COUNTER_RETURN_MISSED), 0);
}

static void test_call_remember_over_a_sampled_call_counts_its_missed_return(void **state)
{
	(void)state;
	remember(0x1000, 11, 1);
	assert_true(remember(0x1000, 22, 1));
	assert_int_equal(remembered_size(0x1000), 22);
	assert_int_equal(counted(COUNTER_RETURN_MISSED), 1);
}

static void test_call_remember_over_an_unsampled_call_counts_nothing(void **state)
{
	(void)state;
	remember(0x1000, 11, 0);
	assert_true(remember(0x1000, 22, 1));
	assert_int_equal(counted(COUNTER_RETURN_MISSED), 0);
}

static void test_call_remember_no_room_is_counted_for_a_sampled_call(void **state)
{
	(void)state;
	stub_limit(&stashes, 1);
	assert_true(remember(0x1000, 11, 1));
	assert_false(remember(0x2000, 22, 1));
	assert_int_equal(counted(COUNTER_LOST_STASH), 1);
	assert_false(remember(0x3000, 33, 0));
	assert_int_equal(counted(COUNTER_LOST_STASH), 1);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_call_register_every_number_reads_its_own_register),
		TEST(test_call_register_no_such_register_is_zero),
		TEST(test_call_is_nested_return_into_a_probed_function_is),
		TEST(test_call_is_nested_return_that_another_probe_hides_is),
		TEST(test_call_is_nested_return_beside_a_probed_function_is_not),
		TEST(test_call_is_nested_return_outside_the_file_is_not),
		TEST(test_call_is_nested_other_allocators_ranges_do_not_count),
		TEST(test_call_is_nested_unreadable_stack_is_not),
		TEST(test_call_is_nested_full_table_of_ranges_is_searched_to_its_end),
		TEST(test_call_remember_calls_are_told_apart_by_thread_and_stack_pointer),
		TEST(test_call_remember_over_a_sampled_call_counts_its_missed_return),
		TEST(test_call_remember_over_an_unsampled_call_counts_nothing),
		TEST(test_call_remember_no_room_is_counted_for_a_sampled_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
