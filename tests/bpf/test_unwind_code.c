/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unwind_code.h: what code without a rule says of itself, and that the walk goes by it. */
#include "walk.h"

#define MADE_WORDS 16 /* of `memory`, at its end: code that was made, mapped there */

static u8 *made(void)
{
	return (u8 *)&memory[sizeof(memory) / sizeof(u64) - MADE_WORDS];
}

static int setup_made(void **state)
{
	u64 start = (uintptr_t)made();

	setup(state);
	memset(made(), 0x90, MADE_WORDS * sizeof(u64));
	table_map(1, (struct unwind_mapping){.start = start,
					     .end = start + MADE_WORDS * sizeof(u64),
					     .flags = UNWIND_MAPPING_NO_TABLE});
	stub.calls = CODE;
	stub.calls_end = CODE + CODE_BYTES;
	return 0;
}

/* The bytes behind a return address, which this returns. */
static u64 made_behind(const u8 *code, size_t size)
{
	memcpy(made() + 64, code, size);
	return (uintptr_t)made() + 64;
}

/* CPython's, until 3.14: bp is what it was, and would lead past the caller. */
static void test_unwind_code_that_pops_its_stack_leads_to_its_caller(void **state)
{
	static const u8 code[] = {0x48, 0x83, 0xc4, 0x18, 0xc3};

	(void)state;
	regs.bp = at(10);
	put(11, in(RULE_SP));
	put(3, in(RULE_END));
	assert_step(made_behind(code, sizeof(code)), in(RULE_END), at(4), at(10));
	assert_int_equal(scratch.walk.frame_pointer, 0);
}

/* CPython's, after 3.14. */
static void test_unwind_code_that_pops_bp_leads_to_its_caller(void **state)
{
	static const u8 code[] = {0x5d, 0xc3};

	(void)state;
	regs.bp = at(10);
	put(0, 99);
	put(1, in(RULE_END));
	assert_step(made_behind(code, sizeof(code)), in(RULE_END), at(2), 99);
	assert_int_equal(scratch.walk.frame_pointer, 0);
}

#define GOROUTINE 200 /* its stack, higher up in `memory` than the thread's */
#define G	  400 /* its struct g */

/* From the C stack, which the call runs on, down to the goroutine's: as Go 1.19 and 1.24 have it. */
static void check_goroutine(const u8 *code, size_t size, u32 depth_at, u64 caller_sp, u64 bp)
{
	regs.sp = at(300);
	put(300 + depth_at, 8 * 50);
	put(300 + depth_at + 1, at(G));
	put(G + 1, at(GOROUTINE + 50));
	put(GOROUTINE, bp == 77 ? in(RULE_END) : bp);
	put(GOROUTINE + 1, in(RULE_END));
	regs.bp = 77;
	assert_step(made_behind(code, size), in(RULE_END), caller_sp, bp);
}

static void test_unwind_asmcgocall_leads_to_the_goroutines_stack(void **state)
{
	static const u8 old[] = {0x48, 0x8b, 0x7c, 0x24, 0x30, 0x48, 0x8b, 0x77,
				 0x08, 0x48, 0x2b, 0x74, 0x24, 0x28, 0x64};
	static const u8 new[] = {0x48, 0x8b, 0x7c, 0x24, 0x08, 0x48, 0x8b, 0x77, 0x08, 0x48, 0x2b, 0x34, 0x24, 0x64};

	(void)state;
	check_goroutine(old, sizeof(old), 5, at(GOROUTINE + 1), 77);
	check_goroutine(new, sizeof(new), 0, at(GOROUTINE + 2), 99);
	put(G + 1, 0); /* no stack of a goroutine is there */
	walk_from((uintptr_t)made() + 64);
	assert_walk(UNWIND_UNREADABLE, 1);
}

/* Called on the C stack already: sp is as it was, rounded. */
static void test_unwind_asmcgocall_on_its_stack_leads_to_its_caller(void **state)
{
	static const u8 old[] = {0x48, 0x8b, 0x74, 0x24, 0x28, 0x48, 0x89, 0xf4, 0x89, 0x44, 0x24, 0x18, 0xc3};
	static const u8 new[] = {0x48, 0x8b, 0x34, 0x24, 0x48, 0x89, 0xf4, 0x89, 0x44, 0x24, 0x20, 0x5d, 0xc3};

	(void)state;
	put(5, at(20));
	put(20, in(RULE_END));
	assert_step(made_behind(old, sizeof(old)), in(RULE_END), at(21), 0);
	put(0, at(30));
	put(30, 99);
	put(31, in(RULE_END));
	assert_step(made_behind(new, sizeof(new)), in(RULE_END), at(32), 99);
}

/* A signal came before the instruction, where the stack may be anything. */
static void test_unwind_interrupted_code_does_not_leave_yet(void **state)
{
	static const u8 code[] = {0x5d, 0xc3};

	(void)state;
	put_signal_frame(0, made_behind(code, sizeof(code)), at(60), 0);
	put(61, in(RULE_END));
	walk_from(in(RULE_SIGNAL));
	assert_walk(UNWIND_NO_RULE, 2);
}

static void check_interpreter(const u8 *code, size_t size)
{
	u64 ip = made_behind(code, size);

	regs.bp = at(10);
	put(10, at(20));
	put(11, ip);
	put(20, 99);
	put(21, in(RULE_END));
	walk_from(ip);
	assert_walk(UNWIND_COMPLETE, 3);
	assert_int_equal(scratch.stack.ip[1], ip);
	assert_int_equal(scratch.walk.registers.bp, 99);
	made()[64 + 3]++;
	walk_from(ip);
	assert_walk(UNWIND_NO_RULE, 1);
}

/* No call is before where they return to: a jump was. As OpenJDK 17.0.15 and 25 have it. */
static void test_unwind_interpreter_is_returned_to_without_a_call(void **state)
{
	static const u8 restored[] = {0x48, 0x8b, 0x65, 0xf0, 0x48, 0xc7, 0x45, 0xf0,
				      0,    0,	  0,	0,    0x4c, 0x8b, 0x6d, 0xc0};
	static const u8 computed[] = {0x48, 0x8b, 0x4d, 0xf0, 0x48, 0x8d, 0x64, 0xcd, 0,
				      0x48, 0xc7, 0x45, 0xf0, 0,    0,	  0,	0,    0x4c};

	(void)state;
	check_interpreter(restored, sizeof(restored));
	check_interpreter(computed, sizeof(computed));
}

/* Nor where compiled code is given up, as OpenJDK 17.0.15 has it: the handler pushes its own address. */
static void test_unwind_code_given_up_is_returned_to_without_a_call(void **state)
{
	u8 code[] = {0x49, 0xba, 0, 0, 0, 0, 0, 0, 0, 0, 0x41, 0x52, 0xe9};
	u64 ip = made_behind(code, sizeof(code));

	(void)state;
	memcpy(code + 2, &ip, sizeof(ip));
	check_interpreter(code, sizeof(code));
}

/* Every length that a call has. */
static void test_unwind_is_call_knows_every_form(void **state)
{
	static const u8 calls[][UNWIND_CALL_BYTES] = {
		{0, 0, 0xe8, 1, 2, 3, 4},	/* call rel32 */
		{0, 0, 0, 0, 0, 0xff, 0xd0},	/* call *rax */
		{0, 0, 0, 0, 0x41, 0xff, 0xd2}, /* call *r10 */
		{0, 0, 0, 0, 0xff, 0x50, 8},	/* call *8(rax) */
		{0, 0, 0, 0, 0xff, 0x14, 0xc8}, /* call *(rax, rcx, 8) */
		{0, 0, 0, 0xff, 0x54, 0x24, 8}, /* call *8(rsp) */
		{0, 0xff, 0x15, 1, 2, 3, 4},	/* call *rel32(rip) */
		{0xff, 0x94, 0xc8, 1, 2, 3, 4}, /* call *disp32(rax, rcx, 8) */
	};
	static const u8 others[][UNWIND_CALL_BYTES] = {
		{0, 0, 0, 0, 0, 0, 0},		{0, 0, 0xe9, 1, 2, 3, 4}, /* jmp rel32 */
		{0, 0, 0, 0, 0, 0xff, 0xe0},				  /* jmp *rax */
		{0, 0, 0, 0, 0, 0xff, 0x30},				  /* push (rax) */
		{0xe8, 1, 2, 3, 4, 0x90, 0x90},				  /* a call, but earlier */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		assert_true(unwind_is_call(calls[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(unwind_is_call(others[i]));
}

static void test_unwind_leaves_knows_no_other_code(void **state)
{
	static const u8 others[][UNWIND_BEHIND_BYTES] = {
		{0x48, 0x83, 0xc4, 0x18, 0x5d}, /* add, pop: more follows */
		{0x48, 0x83, 0xc4, 0x1c, 0xc3}, /* by what is no multiple of a word */
		{0x48, 0x83, 0xc4, 0xf8, 0xc3}, /* by less than nothing */
		{0x48, 0x83, 0xec, 0x18, 0xc3}, /* sub */
		{0x5b, 0xc3},			/* pop %rbx; ret */
	};
	struct unwind_rule rule;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(unwind_leaves(others[i], &rule));
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup_made)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unwind_code_that_pops_its_stack_leads_to_its_caller),
		TEST(test_unwind_code_that_pops_bp_leads_to_its_caller),
		TEST(test_unwind_asmcgocall_leads_to_the_goroutines_stack),
		TEST(test_unwind_asmcgocall_on_its_stack_leads_to_its_caller),
		TEST(test_unwind_interrupted_code_does_not_leave_yet),
		TEST(test_unwind_interpreter_is_returned_to_without_a_call),
		TEST(test_unwind_code_given_up_is_returned_to_without_a_call),
		TEST(test_unwind_is_call_knows_every_form),
		TEST(test_unwind_leaves_knows_no_other_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
