/* SPDX-License-Identifier: GPL-2.0-or-later */
/* region.bpf.c: which system calls of whom are told, with what, and what is counted when they are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf_stub.h"

#include "bpf/region.bpf.c"

#include "table.h"

#define PROCESS 6
#define SCOPE	2
#define PID	3000
#define CODE	0x400000
#define ADDR	0x7f0000000000
#define RING	(1 << 16)

#include "told.h"

static struct {
	u64 stack[2];
} user;

static struct pt_regs regs;
static struct mm_struct mm;
static struct task_struct task;

static int setup(void **state)
{
	struct scope scope = {.process = PROCESS, .pid = PID};
	u32 number = SCOPE, pid = PID;

	(void)state;
	stub_reset(RING);
	config = (struct config){.sample_bytes = 1, .ring_half = RING / 2, .tally_mask = SCOPES_MIN - 1};
	memset(&user, 0, sizeof(user));
	stub.memory = (uintptr_t)&user;
	stub.memory_end = (uintptr_t)&user + sizeof(user);
	mm = (struct mm_struct){0};
	task = (struct task_struct){.pid = PID, .tgid = PID, .mm = &mm};
	stub.task = &task;
	stub.pid_tgid = (u64)PID << 32 | PID;
	regs = (struct pt_regs){.ip = CODE + 0x100, .sp = (uintptr_t)&user};
	table_of_plain_code(&scope, PROCESS, CODE);
	bpf_map_update_elem(&scopes, &number, &scope, BPF_ANY);
	bpf_map_update_elem(&scope_by_pid, &pid, &number, BPF_ANY);
	return 0;
}

static void become_another(void)
{
	task.tgid = PID + 1;
	stub.pid_tgid = (u64)(PID + 1) << 32 | (PID + 1);
}

/* The id of the stack that comes next. */
static u64 next_stack(void)
{
	size_t size = 0;
	const struct event_stack *event = stub_ring_next(&size);

	assert_non_null(event);
	assert_int_equal(event->header.kind, EVENT_STACK);
	assert_int_equal(event->ip[0], CODE + 0x100);
	return event->stack;
}

static struct event_region next_region(enum region_call call)
{
	size_t size = 0;
	const struct event_region *event = stub_ring_next(&size);

	assert_non_null(event);
	assert_int_equal(size, sizeof(*event));
	assert_int_equal(event->header.kind, EVENT_REGION);
	assert_int_equal(event->header.process, PROCESS);
	assert_int_equal(event->call, call);
	return *event;
}

static void test_region_mmap_is_told_with_its_stack(void **state)
{
	struct event_region event;
	u64 stack;

	(void)state;
	regs.si = 5000;
	regs.r10 = 0x22;
	region_mmap(&regs, ADDR);
	stack = next_stack();
	event = next_region(REGION_MMAP);
	assert_true(stack && event.stack == stack);
	assert_int_equal(event.addr, ADDR);
	assert_int_equal(event.size, 5000);
	assert_int_equal(event.flags, 0x22);
	assert_int_equal(event.entered_ns, 0);
	assert_int_equal(event.old_addr, 0);
	assert_int_equal(event.old_size, 0);
	assert_no_event();
	assert_int_equal(counted(COUNTER_MAPPING_CALLS), 1);
}

static void test_region_mmap_of_huge_pages_has_the_size_that_the_kernel_made(void **state)
{
	struct vm_area_struct vma = {.vm_start = ADDR, .vm_end = ADDR + (2 << 20)};

	(void)state;
	stub.vmas = &vma;
	stub.vma_count = 1;
	regs.si = 5000;
	regs.r10 = MAP_HUGETLB;
	region_mmap(&regs, ADDR);
	next_stack();
	assert_int_equal(next_region(REGION_MMAP).size, 2 << 20);
}

static void test_region_calls_that_fail_are_not_told(void **state)
{
	(void)state;
	regs.di = ADDR;
	region_mmap(&regs, -12);
	region_shmat(&regs, -EINVAL);
	region_munmap_enter(&regs);
	region_munmap(&regs, -EINVAL);
	region_mremap_enter(&regs);
	region_mremap(&regs, -14);
	region_shmdt_enter(&regs);
	region_shmdt(&regs, -EINVAL);
	assert_no_event();
	assert_int_equal(counted(COUNTER_MAPPING_CALLS), 0);
	assert_int_equal(counted(COUNTER_MAPPING_LOST), 0);
}

static void test_region_calls_of_others_are_not_told(void **state)
{
	(void)state;
	become_another();
	region_mmap(&regs, ADDR);
	region_munmap_enter(&regs);
	region_munmap(&regs, 0);
	assert_no_event();
}

/* Before its exec, and after the end. */
static void test_region_calls_of_no_image_are_not_told(void **state)
{
	u32 number = SCOPE;

	(void)state;
	((struct scope *)bpf_map_lookup_elem(&scopes, &number))->process = 0;
	region_mmap(&regs, ADDR);
	region_munmap_enter(&regs);
	region_munmap(&regs, 0);
	assert_no_event();
}

static void test_region_munmap_says_when_it_was_entered(void **state)
{
	struct event_region event;

	(void)state;
	regs.di = ADDR;
	regs.si = 4096;
	stub.now_ns = 500;
	region_munmap_enter(&regs);
	stub.now_ns = 900;
	region_munmap(&regs, 0);
	event = next_region(REGION_MUNMAP);
	assert_int_equal(event.entered_ns, 501);
	assert_int_equal(event.header.time_ns, 901);
	assert_int_equal(event.addr, ADDR);
	assert_int_equal(event.size, 4096);
	assert_int_equal(event.stack, 0);
	assert_no_event();
}

/* It began before the programs were there: what it was entered with is not known, and no earlier call's. */
static void test_region_end_without_a_beginning_is_not_told(void **state)
{
	(void)state;
	region_munmap(&regs, 0);
	region_munmap_enter(&regs);
	region_munmap(&regs, 0);
	next_region(REGION_MUNMAP);
	region_munmap(&regs, 0);
	region_brk(&regs, ADDR);
	assert_no_event();
}

static void test_region_mremap_has_both_places(void **state)
{
	struct event_region event;
	u64 stack;

	(void)state;
	regs.di = ADDR;
	regs.si = 4096;
	regs.dx = 3 * 4096;
	regs.r10 = 1;
	region_mremap_enter(&regs);
	region_mremap(&regs, ADDR + (1 << 20));
	stack = next_stack();
	event = next_region(REGION_MREMAP);
	assert_true(event.stack == stack);
	assert_int_equal(event.old_addr, ADDR);
	assert_int_equal(event.old_size, 4096);
	assert_int_equal(event.addr, ADDR + (1 << 20));
	assert_int_equal(event.size, 3 * 4096);
	assert_int_equal(event.flags, 1);
	assert_true(event.entered_ns < event.header.time_ns && event.entered_ns);
}

static void test_region_mremap_that_shrinks_in_place_needs_no_stack(void **state)
{
	(void)state;
	regs.di = ADDR;
	regs.si = 3 * 4096;
	regs.dx = 4096;
	region_mremap_enter(&regs);
	region_mremap(&regs, ADDR);
	assert_int_equal(next_region(REGION_MREMAP).stack, 0);
	assert_no_event();
}

static void test_region_brk_tells_growth_with_a_stack_and_shrinking_without(void **state)
{
	struct event_region event;
	u64 stack;

	(void)state;
	mm.brk = ADDR;
	region_brk_enter(&regs);
	region_brk(&regs, ADDR + 8192);
	stack = next_stack();
	event = next_region(REGION_BRK);
	assert_true(event.stack == stack);
	assert_int_equal(event.old_addr, ADDR);
	assert_int_equal(event.addr, ADDR + 8192);
	mm.brk = ADDR + 8192;
	region_brk_enter(&regs);
	region_brk(&regs, ADDR);
	event = next_region(REGION_BRK);
	assert_int_equal(event.stack, 0);
	assert_int_equal(event.old_addr, ADDR + 8192);
	assert_int_equal(event.addr, ADDR);
}

static void test_region_brk_that_changes_no_page_is_not_told(void **state)
{
	(void)state;
	mm.brk = ADDR + 10;
	region_brk_enter(&regs);
	region_brk(&regs, ADDR + 10);
	region_brk_enter(&regs);
	region_brk(&regs, ADDR + 4096);
	assert_no_event();
}

static void test_region_shmat_has_the_size_of_the_segment(void **state)
{
	struct vm_area_struct vma = {.vm_start = ADDR, .vm_end = ADDR + 12288};
	struct event_region event;

	(void)state;
	stub.vmas = &vma;
	stub.vma_count = 1;
	region_shmat(&regs, ADDR);
	next_stack();
	event = next_region(REGION_SHMAT);
	assert_int_equal(event.addr, ADDR);
	assert_int_equal(event.size, 12288);
	regs.di = ADDR;
	region_shmdt_enter(&regs);
	region_shmdt(&regs, 0);
	assert_int_equal(next_region(REGION_SHMDT).addr, ADDR);
}

static void test_region_calls_that_find_the_ring_full_are_counted(void **state)
{
	(void)state;
	stub.ring_capacity = 16;
	region_mmap(&regs, ADDR);
	region_munmap_enter(&regs);
	region_munmap(&regs, 0);
	assert_no_event();
	assert_int_equal(counted(COUNTER_MAPPING_CALLS), 2);
	assert_int_equal(counted(COUNTER_MAPPING_LOST), 2);
}

static void test_region_calls_without_room_for_their_beginning_are_counted(void **state)
{
	(void)state;
	stub.storage_full = true;
	region_munmap_enter(&regs);
	region_munmap(&regs, 0);
	assert_no_event();
	assert_int_equal(counted(COUNTER_MAPPING_LOST), 1);
}

/* The same calls at the tracepoints of all system calls. */
static void call(u64 id, long ret)
{
	regs.orig_ax = id;
	region_sys_enter(&regs, (long)id);
	region_sys_exit(&regs, ret);
}

static void test_region_tracepoints_tell_the_same_of_each_call(void **state)
{
	struct vm_area_struct vma = {.vm_start = ADDR, .vm_end = ADDR + 12288};

	(void)state;
	stub.vmas = &vma;
	stub.vma_count = 1;
	regs.di = ADDR;
	regs.si = 8192;
	regs.dx = 4096;
	call(9, ADDR);
	next_stack();
	assert_int_equal(next_region(REGION_MMAP).size, 8192);
	call(30, ADDR);
	assert_int_equal(next_region(REGION_SHMAT).size, 12288);
	call(11, 0);
	assert_int_equal(next_region(REGION_MUNMAP).size, 8192);
	call(67, 0);
	assert_int_equal(next_region(REGION_SHMDT).addr, ADDR);
	call(25, ADDR);
	assert_int_equal(next_region(REGION_MREMAP).old_size, 8192);
	mm.brk = ADDR;
	call(12, ADDR + 4096);
	assert_int_equal(next_region(REGION_BRK).old_addr, ADDR);
	assert_no_event();
}

static void test_region_tracepoints_pass_over_other_calls_and_those_of_32_bits(void **state)
{
	(void)state;
	for (u64 id = 0; id < 450; id++)
		if (id != 9 && id != 11 && id != 12 && id != 25 && id != 30 && id != 67)
			call(id, 0);
	task.thread_info.status = TS_COMPAT;
	for (u64 id = 0; id < 450; id++)
		call(id, 0);
	assert_no_event();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_region_mmap_is_told_with_its_stack),
		TEST(test_region_mmap_of_huge_pages_has_the_size_that_the_kernel_made),
		TEST(test_region_calls_that_fail_are_not_told),
		TEST(test_region_calls_of_others_are_not_told),
		TEST(test_region_calls_of_no_image_are_not_told),
		TEST(test_region_munmap_says_when_it_was_entered),
		TEST(test_region_end_without_a_beginning_is_not_told),
		TEST(test_region_mremap_has_both_places),
		TEST(test_region_mremap_that_shrinks_in_place_needs_no_stack),
		TEST(test_region_brk_tells_growth_with_a_stack_and_shrinking_without),
		TEST(test_region_brk_that_changes_no_page_is_not_told),
		TEST(test_region_shmat_has_the_size_of_the_segment),
		TEST(test_region_calls_that_find_the_ring_full_are_counted),
		TEST(test_region_calls_without_room_for_their_beginning_are_counted),
		TEST(test_region_tracepoints_tell_the_same_of_each_call),
		TEST(test_region_tracepoints_pass_over_other_calls_and_those_of_32_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
