/* SPDX-License-Identifier: GPL-2.0-or-later */
/* insn_return.c on code made for one rule each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "probe/insn_return.h"

static struct insn_returns scan(const char *code, size_t size)
{
	struct insn_returns returns;

	assert_int_equal(insn_return_scan((const u8 *)code, size, &returns), 0);
	return returns;
}
#define SCAN(code) scan(code, sizeof(code) - 1)

static void test_every_return_is_found(void **state)
{
	struct insn_returns returns;

	(void)state;
	/* test %rdi,%rdi; je +1; ret; xor %eax,%eax; ret; rep ret; bnd ret; ret $8 */
	returns = SCAN("\x48\x85\xff\x74\x01\xc3\x31\xc0\xc3\xf3\xc3\xf2\xc3\xc2\x08\x00");
	assert_null(returns.unseen);
	assert_int_equal(returns.count, 5);
	assert_int_equal(returns.at[0], 5);
	assert_int_equal(returns.at[1], 8);
	assert_int_equal(returns.at[2], 9);
	assert_int_equal(returns.at[3], 11);
	assert_int_equal(returns.at[4], 13);
	assert_int_equal(returns.leave_count, 0);
}

/* c3 within an instruction is none. */
static void test_byte_of_another_instruction_is_no_return(void **state)
{
	struct insn_returns returns = SCAN("\xb8\xc3\xc3\xc3\xc3\xc3"); /* mov $0xc3c3c3c3,%eax; ret */

	(void)state;
	assert_int_equal(returns.count, 1);
	assert_int_equal(returns.at[0], 5);
}

static void test_jumps_out_of_the_code_are_told(void **state)
{
	struct insn_returns returns;

	(void)state;
	/* jmp +0x100; je -0x100 (near); jmp to the first byte; call out; loop out; ret */
	returns = SCAN("\xe9\x00\x01\x00\x00\x0f\x84\x00\xff\xff\xff\xeb\xf3\xe8\x00\x10\x00\x00\xe2\x40\xc3");
	assert_null(returns.unseen);
	assert_int_equal(returns.count, 1);
	assert_int_equal(returns.leave_count, 3);
	assert_int_equal(returns.leaves[0], 0x105);
	assert_int_equal(returns.leaves[1], 11 - 0x100);
	assert_int_equal(returns.leaves[2], 0x14 + 0x40);
}

static void test_jump_to_the_end_of_the_code_leaves_it(void **state)
{
	struct insn_returns returns = SCAN("\xeb\x01\xc3");

	(void)state;
	assert_int_equal(returns.leave_count, 1);
	assert_int_equal(returns.leaves[0], 3);
}

static void test_jump_through_a_pointer_may_leave(void **state)
{
	(void)state;
	assert_non_null(SCAN("\xff\xe0\xc3").unseen);		      /* jmp *%rax */
	assert_non_null(SCAN("\xff\x67\x18\xc3").unseen);	      /* jmp *0x18(%rdi) */
	assert_non_null(SCAN("\xff\x25\x00\x10\x00\x00\xc3").unseen); /* jmp *0x1000(%rip) */
	assert_non_null(SCAN("\x48\x01\xd1\xff\xe0\xc3").unseen);     /* add %rdx,%rcx; jmp *%rax */
	assert_non_null(SCAN("\x48\x01\xd0\x90\xff\xe0\xc3").unseen); /* add %rdx,%rax; nop; jmp *%rax */
	assert_non_null(SCAN("\xff\x2f\xc3").unseen);		      /* ljmp *(%rdi) */
	assert_non_null(SCAN("\xff\x24\xc7\xc3").unseen);	      /* jmp *(%rdi,%rax,8) */
}

static void test_jump_through_the_table_of_a_switch_stays(void **state)
{
	(void)state;
	assert_null(SCAN("\x48\x01\xd0\xff\xe0\xc3").unseen);	      /* add %rdx,%rax; jmp *%rax */
	assert_null(SCAN("\x3e\xff\xe0\xc3").unseen);		      /* notrack jmp *%rax */
	assert_null(SCAN("\xff\x24\xc5\x00\x10\x40\x00\xc3").unseen); /* jmp *0x401000(,%rax,8) */
}

static void test_code_that_cannot_be_decoded_may_return_anywhere(void **state)
{
	(void)state;
	assert_non_null(SCAN("\x06\xc3").unseen);	  /* no instruction of 64-bit code */
	assert_non_null(SCAN("\xc3\x0f").unseen);	  /* cut off */
	assert_non_null(SCAN("\xcb").unseen);		  /* lret */
	assert_non_null(SCAN("\x48\xcf").unseen);	  /* iretq */
	assert_null(SCAN("\x0f\x0b\xc3").unseen);	  /* ud2 */
	assert_null(SCAN("\xf3\x0f\x1e\xfa\xc3").unseen); /* endbr64 */
}

static void test_more_than_fits_is_said(void **state)
{
	char code[INSN_RETURNS_MAX + 1];

	(void)state;
	memset(code, 0xc3, sizeof(code));
	assert_null(scan(code, INSN_RETURNS_MAX).unseen);
	assert_non_null(scan(code, INSN_RETURNS_MAX + 1).unseen);
}

static void test_random_code_is_survived(void **state)
{
	(void)state;
	srandom(4);
	for (int round = 0; round < 20000; round++) {
		size_t size = (size_t)random() % 64;
		u8 *exact = malloc(size ? size : 1); /* so that the sanitizers see a step too far */
		struct insn_returns returns;

		for (size_t i = 0; i < size; i++)
			exact[i] = (u8)random();
		assert_int_equal(insn_return_scan(exact, size, &returns), 0);
		for (unsigned int i = 0; i < returns.count; i++)
			assert_true(returns.at[i] < size);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_return_is_found),
		cmocka_unit_test(test_byte_of_another_instruction_is_no_return),
		cmocka_unit_test(test_jumps_out_of_the_code_are_told),
		cmocka_unit_test(test_jump_to_the_end_of_the_code_leaves_it),
		cmocka_unit_test(test_jump_through_a_pointer_may_leave),
		cmocka_unit_test(test_jump_through_the_table_of_a_switch_stays),
		cmocka_unit_test(test_code_that_cannot_be_decoded_may_return_anywhere),
		cmocka_unit_test(test_more_than_fits_is_said),
		cmocka_unit_test(test_random_code_is_survived),
	};

	return cmocka_run_group_tests_name("insn_return", tests, NULL, NULL);
}
