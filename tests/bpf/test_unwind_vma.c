/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unwind.bpf.h and stack.bpf.h: walks of processes whose list of mappings is not there, by the kernel's own mappings. */
#include "stack_capture.h"

#define DEVICE	0x00801002 /* 8:4098, in the kernel's own way of writing it */
#define INODE	77
#define LIBRARY 0x7f0000000000
#define NUMBER	5
#define TABLE	1
#define VM_READ 1

static struct super_block super_block = {.s_dev = DEVICE};
static struct inode inode = {.i_ino = INODE, .i_sb = &super_block};
static struct file file = {.f_inode = &inode};
static struct vm_area_struct vmas[4];

static void know(u64 number, u64 table_and_flags)
{
	u32 place = unwind_file_place(number, DEVICE) % UNWIND_FILES_MAX;
	struct unwind_file row = {.inode = number, .device = DEVICE, .table_and_flags = table_and_flags};

	bpf_map_update_elem(&unwind_files, &place, &row, BPF_ANY);
}

/* The plain code's file is mapped where the stack's frames are, and known; there is no list. */
static int setup_vmas(void **state)
{
	setup(state);
	vmas[0] = (struct vm_area_struct){
		.vm_start = CODE, .vm_end = CODE + 0x8000, .vm_file = &file, .vm_flags = VM_READ | VMA_EXECUTABLE};
	stub.vmas = vmas;
	stub.vma_count = 1;
	know(INODE, (u64)NUMBER << (32 + UNWIND_NUMBER_SHIFT) | TABLE);
	scope.mappings = 0;
	return 0;
}

static void test_unwind_vma_process_without_a_list_has_its_stack(void **state)
{
	u64 id = capture(PROCESS);

	(void)state;
	assert_int_equal(next_stack(3)->stack, id);
	assert_int_equal(counted(COUNTER_STACK_RAW), 0);
	/* It has no generation: user space believes it for what was mapped at the time. */
	assert_true(id == stackhash(expected, 3, stackhash_seed(PROCESS, 0)));
}

static void test_unwind_vma_what_the_list_lacks_is_asked_for(void **state)
{
	u64 id;

	(void)state;
	vmas[1] = (struct vm_area_struct){.vm_start = LIBRARY,
					  .vm_end = LIBRARY + 0x2000,
					  .vm_pgoff = 3,
					  .vm_file = &file,
					  .vm_flags = VMA_EXECUTABLE};
	stub.vma_count = 2;
	scope.mappings = 1;
	scope.generation = 4;
	memory[0] = expected[1] = LIBRARY + 0x100;
	id = capture(PROCESS);
	assert_int_equal(next_stack(3)->stack, id);
	assert_true(id == stackhash(expected, 3, stackhash_seed(PROCESS, 0)));
}

static void test_unwind_vma_file_that_is_not_known_sends_bytes(void **state)
{
	(void)state;
	know(INODE, 0);
	assert_true(capture(PROCESS) & RAW_STACK_ID);
	inode.i_ino = INODE + 1;
	assert_true(capture(PROCESS) & RAW_STACK_ID);
	inode.i_ino = INODE;
	super_block.s_dev = DEVICE + 1;
	assert_true(capture(PROCESS) & RAW_STACK_ID);
	super_block.s_dev = DEVICE;
	assert_int_equal(counted(COUNTER_STACK_RAW), 3);
}

static void test_unwind_vma_memory_that_is_no_code_sends_bytes(void **state)
{
	(void)state;
	vmas[0].vm_flags = VM_READ;
	assert_true(capture(PROCESS) & RAW_STACK_ID);
}

static void test_unwind_vma_code_without_a_file_sends_bytes(void **state)
{
	(void)state;
	vmas[0].vm_file = NULL;
	assert_true(capture(PROCESS) & RAW_STACK_ID);
}

static void test_unwind_vma_file_that_has_no_table_ends_without_a_rule(void **state)
{
	(void)state;
	know(INODE, (u64)UNWIND_MAPPING_NO_TABLE << 32);
	capture(PROCESS);
	assert_int_equal(next_stack(1)->end, UNWIND_NO_RULE);
}

/* The table gives way while its words are searched. */
static u32 reads;
static long give_way(struct task_struct *current, struct vm_area_struct *vma, void *arg)
{
	long result = unwind_note_vma(current, vma, arg);

	reads++;
	know(INODE, 0);
	return result;
}

static void test_unwind_vma_table_that_gives_way_meanwhile_is_not_believed(void **state)
{
	struct scratch *scratch = scratch_claim(), *arg = scratch;

	(void)state;
	reads = 0;
	scratch->vma = (struct unwind_mapping){};
	bpf_find_vma(stub.task, CODE + 0x1000, give_way, &arg, 0);
	assert_int_equal(reads, 1);
	assert_int_equal(scratch->vma.table, TABLE);
	assert_false(unwind_table_stayed(scratch));
	know(INODE, scratch->vma.table_and_flags);
	assert_true(unwind_table_stayed(scratch));
	scratch_return(scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_unwind_vma_process_without_a_list_has_its_stack, setup_vmas),
		cmocka_unit_test_setup(test_unwind_vma_what_the_list_lacks_is_asked_for, setup_vmas),
		cmocka_unit_test_setup(test_unwind_vma_file_that_is_not_known_sends_bytes, setup_vmas),
		cmocka_unit_test_setup(test_unwind_vma_memory_that_is_no_code_sends_bytes, setup_vmas),
		cmocka_unit_test_setup(test_unwind_vma_code_without_a_file_sends_bytes, setup_vmas),
		cmocka_unit_test_setup(test_unwind_vma_file_that_has_no_table_ends_without_a_rule, setup_vmas),
		cmocka_unit_test_setup(test_unwind_vma_table_that_gives_way_meanwhile_is_not_believed, setup_vmas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
