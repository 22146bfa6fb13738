/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unwind.bpf.h: stacks in which a return probe has replaced return addresses. */
#include "walk.h"

static void test_unwind_waiting_return_probe_is_seen_through(void **state)
{
	struct return_instance outer = {.stack = at(5), .orig_ret_vaddr = in(RULE_END)};
	struct return_instance inner = {.stack = at(2), .orig_ret_vaddr = in(RULE_SP), .next = &outer};
	struct uprobe_task probes = {.return_instances = &inner};

	(void)state;
	task.utask = &probes;
	put(2, OTHER_CODE);
	put(5, OTHER_CODE);
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_COMPLETE, 3);
	assert_int_equal(scratch.stack.ip[1], in(RULE_SP));
	assert_int_equal(scratch.stack.ip[2], in(RULE_END));
	/* The probes' own mapping may be known, as code without a table. */
	put(2, JIT + 0x10);
	put(5, JIT + 0x10);
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_COMPLETE, 3);
	assert_int_equal(scratch.walk.frame_pointer, 0);
}

/* The trampoline, interrupted: at each of its offsets that begin an instruction, so many words are on the stack. */
static void test_unwind_interrupted_return_probe_goes_where_it_would(void **state)
{
	static const struct {
		u32 offset, words;
	} points[] = {{0, 0}, {1, 1}, {2, 2}, {4, 3}, {11, 3}, {13, 3}, {15, 2}, {16, 1}};
	struct return_instance pending = {.stack = at(50), .orig_ret_vaddr = in(RULE_END)};
	struct uprobe_task probes = {.return_instances = &pending};
	struct xol_area area = {.vaddr = OTHER_CODE};
	struct mm_struct mm = {.uprobes_state = {.xol_area = &area}};

	(void)state;
	task.utask = &probes;
	task.mm = &mm;
	regs.bp = at(200);
	put(2, in(RULE_SIGNAL));
	for (u32 i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		put_signal_frame(3, OTHER_CODE + points[i].offset, at(51 - points[i].words), 88);
		put(50, points[i].offset > 11 ? in(RULE_END) : 0);
		walk_from(in(RULE_SP));
		assert_walk(UNWIND_COMPLETE, 3);
		assert_int_equal(scratch.stack.ip[2], in(RULE_END));
		assert_int_equal(scratch.walk.registers.sp, at(51));
	}
	put_signal_frame(3, OTHER_CODE + 17, at(51), 88);
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_NO_TABLE, 3);
}

static void test_unwind_unhide_puts_return_addresses_back_into_the_snapshot(void **state)
{
	struct return_instance outer = {.stack = at(5), .orig_ret_vaddr = in(RULE_END)};
	struct return_instance inner = {.stack = at(2), .orig_ret_vaddr = in(RULE_SP), .next = &outer};
	struct uprobe_task probes = {.return_instances = &inner};
	struct xol_area area = {.vaddr = OTHER_CODE};
	struct mm_struct mm = {.uprobes_state = {.xol_area = &area}};
	const u64 *words = (const void *)scratch.raw.bytes;

	(void)state;
	put(2, OTHER_CODE);
	put(3, OTHER_CODE);
	put(5, OTHER_CODE);
	scratch.raw.sp = at(0);
	unwind_snapshot_from(&scratch, scratch.raw.sp);
	unwind_snapshot_more(&scratch);
	unwind_unhide(&scratch);
	assert_int_equal(words[2], OTHER_CODE);
	task.utask = &probes;
	task.mm = &mm;
	unwind_unhide(&scratch);
	assert_int_equal(words[2], in(RULE_SP));
	assert_int_equal(words[3], OTHER_CODE);
	assert_int_equal(words[5], in(RULE_END));
}

static void test_unwind_endless_list_of_return_probes_is_left(void **state)
{
	struct return_instance self = {.stack = 1};
	struct uprobe_task probes = {.return_instances = &self};

	(void)state;
	self.next = &self;
	task.utask = &probes;
	assert_true(hidden_return(at(2)) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unwind_waiting_return_probe_is_seen_through),
		TEST(test_unwind_interrupted_return_probe_goes_where_it_would),
		TEST(test_unwind_unhide_puts_return_addresses_back_into_the_snapshot),
		TEST(test_unwind_endless_list_of_return_probes_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
