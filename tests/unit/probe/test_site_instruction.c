/* SPDX-License-Identifier: GPL-2.0-or-later */
/* site.c: which instructions may have a probe, one after the other. */
#include <errno.h>
#include <stdlib.h>

#include "site_code.h"

static void test_site_every_push_of_a_register_is_emulated(void **state)
{
	(void)state;
	for (char reg = 0; reg < 8; reg++) {
		char instruction[2] = {0x41, (char)(0x50 + reg)};

		assert_true(is_site(instruction + 1, 1));
		assert_true(is_site(instruction, 2));
	}
	assert_false(IS_SITE("\x48\x50")); /* push %rax with a REX the kernel does not know there */
	assert_false(IS_SITE("\x66\x50")); /* push %ax */
	assert_false(IS_SITE("\x6a\x01")); /* push $1 */
	assert_false(IS_SITE("\xff\x37")); /* push (%rdi) */
	assert_false(IS_SITE("\xff\xf0")); /* push %rax, long form */
}

static void test_site_one_byte_nops_are_emulated_and_no_longer_ones(void **state)
{
	(void)state;
	assert_true(IS_SITE("\x90"));
	assert_true(IS_SITE("\x66\x90"));
	assert_true(IS_SITE("\xf3\x90"));	   /* pause */
	assert_false(IS_SITE("\x41\x90"));	   /* xchg %eax,%r8d */
	assert_false(IS_SITE("\x49\x90"));	   /* xchg %rax,%r8 */
	assert_false(IS_SITE("\x0f\x1f\x00\xcc")); /* nopl: from 6.18 on only */
	assert_false(IS_SITE("\x2e\x90"));	   /* cs: no uprobe at all */
}

static void test_site_relative_branches_are_emulated(void **state)
{
	(void)state;
	for (unsigned int condition = 0; condition < 16; condition++) {
		char near[6] = {0x0f, (char)(0x80 + condition), 0x10, 0x01};
		char brief[2] = {(char)(0x70 + condition), 0x10};

		assert_true(is_site(near, sizeof(near)));
		assert_true(is_site(brief, sizeof(brief)));
	}
	assert_true(IS_SITE("\xeb\x10"));
	assert_true(IS_SITE("\xe9\x10\x01\x00\x00"));
	assert_true(IS_SITE("\xe8\x10\x01\x00\x00"));
	assert_true(IS_SITE("\xf2\xe9\x10\x01\x00\x00"));  /* bnd jmp */
	assert_false(IS_SITE("\xe3\x10"));		   /* jrcxz */
	assert_false(IS_SITE("\xff\xe0"));		   /* jmp *%rax */
	assert_false(IS_SITE("\xff\x25\x10\x01\x00\x00")); /* jmp *0x110(%rip) */
	assert_false(IS_SITE("\xc3"));
}

static void test_site_branch_with_operand_size_prefix_is_none(void **state)
{
	struct site site;

	(void)state;
	assert_false(IS_SITE("\x66\xe9\x10\x01\x00\x00"));
	assert_false(IS_SITE("\x66\x0f\x84\x10\x01\x00\x00"));
	assert_false(IS_SITE("\x66\x74\x10"));
	assert_int_equal(FIND(CALL_MALLOC, 1, "\x66\xe8\x10\x01\x00\x00\x55", &site), -EOPNOTSUPP);
}

/* Kernels from 6.18 on make a call of a probed one, of which forked children die. */
static void test_site_is_never_a_five_byte_nop(void **state)
{
	struct site site;

	(void)state;
	assert_false(IS_SITE("\x0f\x1f\x44\x00\x00"));
	/* nopl 0(%rax,%rax,1); mov %rdi,%rax; ret */
	assert_int_equal(FIND(CALL_MALLOC, 1, "\x0f\x1f\x44\x00\x00\x48\x89\xf8\xc3", &site), 0);
	assert_int_equal(site.offset, 5);
	assert_false(site.emulated);
	/* Two of them, as -fpatchable-function-entry=10 makes; and one behind endbr64, where endbr64 is the symbol. */
	assert_int_equal(FIND(CALL_MALLOC, 1, "\x0f\x1f\x44\x00\x00\x0f\x1f\x44\x00\x00\x48\x89\xf8\xc3", &site), 0);
	assert_int_equal(site.offset, 10);
	assert_symbol_itself(
		found(FIND(CALL_MALLOC, 1, "\xf3\x0f\x1e\xfa\x0f\x1f\x44\x00\x00\x48\x89\xf8\xc3", &site), &site));
	/* An emulated one behind it is as good as ever. */
	assert_emulated_at(found(FIND(CALL_MALLOC, 1, "\x0f\x1f\x44\x00\x00\x55", &site), &site), 5, ARG_DI);
	/* Nothing is left: the argument is lost, or the next instruction is where a loop leads. */
	assert_int_equal(FIND(CALL_MALLOC, 1, "\x0f\x1f\x44\x00\x00\x5f\xc3", &site), -EOPNOTSUPP);
	assert_int_equal(FIND(CALL_MALLOC, 1, "\x0f\x1f\x44\x00\x00", &site), -EOPNOTSUPP);
	assert_int_equal(FIND(CALL_MALLOC, 1, "\x0f\x1f\x44\x00\x00\x48\x89\xf8\xe2\xfb", &site), -EOPNOTSUPP);
}

static void test_site_is_no_call_where_threads_have_shadow_stacks(void **state)
{
	static const u8 call[] = {0xe8, 1, 0, 0, 0, 0x55}, behind_move[] = {0x48, 0x89, 0xf8, 0xe8, 1, 0, 0, 0, 0x55};
	struct site site;

	(void)state;
	assert_emulated_at(found(site_find(call, sizeof(call), CALL_MALLOC, ARGUMENTS(1), false, &site), &site), 0,
			   ARG_DI);
	assert_true(site.on_call);
	/* Behind a call the arguments are unknown. */
	assert_int_equal(site_find(call, sizeof(call), CALL_MALLOC, ARGUMENTS(1), true, &site), -EOPNOTSUPP);
	assert_emulated_at(
		found(site_find(behind_move, sizeof(behind_move), CALL_MALLOC, ARGUMENTS(1), false, &site), &site), 3,
		ARG_DI);
	assert_symbol_itself(
		found(site_find(behind_move, sizeof(behind_move), CALL_MALLOC, ARGUMENTS(1), true, &site), &site));
	/* Other branches, and pushes, do not write to a shadow stack. */
	assert_emulated_at(found(site_find((const u8 *)"\x55", 1, CALL_MALLOC, ARGUMENTS(1), true, &site), &site), 0,
			   ARG_DI);
	assert_emulated_at(found(site_find((const u8 *)"\xeb\x10", 2, CALL_MALLOC, ARGUMENTS(1), true, &site), &site),
			   0, ARG_DI);
}

static void test_site_refused_prefix_on_the_only_place_left_is_an_error(void **state)
{
	struct site site = {.offset = 7};

	(void)state;
	assert_int_equal(FIND(CALL_MALLOC, 1, "\xf0\x48\xff\x07\xc3", &site), -EOPNOTSUPP); /* lock incq (%rdi); ret */
	assert_int_equal(FIND(CALL_MALLOC, 1, "\x3e\xff\xe0", &site), -EOPNOTSUPP);	    /* notrack jmp *%rax */
	assert_int_equal(FIND(CALL_MALLOC, 1, "\x36\x48\x8b\x07\xc3", &site), -EOPNOTSUPP); /* mov %ss:(%rdi),%rax */
	assert_int_equal(site.offset, 7);
	/* Such an instruction is no obstacle on the way to a better place. */
	assert_emulated_at(found(FIND(CALL_MALLOC, 1, "\xf0\x48\xff\x07\x55", &site), &site), 4, ARG_DI);
	/* fs and gs are fine: thread-local storage. */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x64\x48\x8b\x07\xc3", &site), &site));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_site_every_push_of_a_register_is_emulated),
		cmocka_unit_test(test_site_one_byte_nops_are_emulated_and_no_longer_ones),
		cmocka_unit_test(test_site_relative_branches_are_emulated),
		cmocka_unit_test(test_site_branch_with_operand_size_prefix_is_none),
		cmocka_unit_test(test_site_is_never_a_five_byte_nop),
		cmocka_unit_test(test_site_is_no_call_where_threads_have_shadow_stacks),
		cmocka_unit_test(test_site_refused_prefix_on_the_only_place_left_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
