/* SPDX-License-Identifier: GPL-2.0-or-later */
/* site.c on short prologues made for one rule each. */
#include <errno.h>
#include <stdlib.h>

#include "site_code.h"

static void test_site_without_code_is_an_error(void **state)
{
	struct site site;

	(void)state;
	assert_int_equal(site_find((const u8 *)"\x55", 0, CALL_MALLOC, ARGUMENTS(1), false, &site), -ENODATA);
}

static void test_site_undecodable_or_cut_prologue_is_the_symbol_itself(void **state)
{
	struct site site;

	(void)state;
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x06\x55", &site), &site));
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x48\x89\xf8\x06\x55", &site), &site));
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x48\x89", &site), &site));
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x48\x89\xf8", &site), &site));
	assert_symbol_itself(found(
		FIND(CALL_MALLOC, 1, "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90", &site),
		&site));
}

static void test_site_behind_a_write_of_the_stack_pointer_is_none(void **state)
{
	struct site site;

	(void)state;
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x48\x83\xec\x18\x55", &site), &site)); /* sub $0x18,%rsp */
	assert_symbol_itself(
		found(FIND(CALL_MALLOC, 1, "\x48\x8d\x64\x24\xe8\x55", &site), &site));	     /* lea -0x18(%rsp),%rsp */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x48\x89\xc4\x55", &site), &site)); /* mov %rax,%rsp */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x48\x83\xe4\xf0\x55", &site), &site)); /* and $-16,%rsp */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x58\x55", &site), &site));		 /* pop %rax */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\xc8\x10\x00\x00\x55", &site), &site)); /* enter */
	assert_emulated_at(found(FIND(CALL_MALLOC, 1, "\x48\x8b\x44\x24\x08\x55", &site), &site), 5,
			   ARG_DI); /* a read is fine */
}

static void test_site_behind_a_transfer_of_control_is_none(void **state)
{
	struct site site;

	(void)state;
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\xff\xd0\x55", &site), &site)); /* call *%rax */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\xc3\x55", &site), &site));	 /* ret */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x0f\x05\x55", &site), &site)); /* syscall */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\xcc\x55", &site), &site));	 /* int3 */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\xe3\x04\x55", &site), &site)); /* jrcxz */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\xc7\xf8\x10\x00\x00\x00\x55", &site), &site)); /* xbegin */
}

static void test_site_behind_a_lost_argument_is_none(void **state)
{
	/* Every instruction the walk steps over, with %rdi, or a part of it, as what it writes; then push %rbp. */
	static const char *const losses[] = {
		"\x48\x89\xc7",
		"\x89\xff",
		"\x66\x89\xc7",
		"\x40\xb7\x01",
		"\xbf\x01\x02\x03\x04",			    /* mov */
		"\x48\xbf\x01\x02\x03\x04\x05\x06\x07\x08", /* movabs */
		"\x40\x0f\xb6\xff",
		"\x48\x0f\xbe\xf8",
		"\x48\x63\xff",
		"\x48\x8d\x7f\x10", /* movzx sx sxd lea */
		"\x48\x83\xc7\x01",
		"\x48\x29\xf7",
		"\x48\x83\xe7\xf0",
		"\x48\x09\xff",
		"\x31\xff", /* add sub and or xor */
		"\x48\xf7\xd7",
		"\x48\xf7\xdf",
		"\x48\xff\xc7",
		"\xff\xcf", /* not neg inc dec */
		"\x48\xc1\xe7\x04",
		"\x48\xd1\xef",
		"\x48\xd3\xff", /* shl shr sar */
		"\x48\x0f\xaf\xfe",
		"\x48\x6b\xfe\x03", /* imul */
		"\x48\x0f\xbc\xf8",
		"\x48\x0f\xbd\xf8",
		"\xf3\x48\x0f\xbd\xf8",
		"\xf3\x48\x0f\xbc\xf8", /* bsf bsr lzcnt tzcnt */
		"\x40\x0f\x94\xc7",
		"\x40\x0f\x95\xc7",
		"\x40\x0f\x90\xc7",
		"\x40\x0f\x92\xc7", /* sete ne o b */
		"\x40\x0f\x93\xc7",
		"\x40\x0f\x97\xc7",
		"\x40\x0f\x96\xc7", /* setae a be */
		"\x66\x48\x0f\x7e\xc7",
		"\x66\x0f\x7e\xc7", /* movq movd */
		"\x48\x87\xf7",
		"\xf3\x48\xab", /* xchg, rep stos: unknown */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(losses); i++) {
		size_t size = strlen(losses[i]);
		u8 code[16] = {0};
		struct site site;

		memcpy(code, losses[i], size);
		code[size] = 0x55;
		assert_int_equal(site_find(code, size + 1, CALL_MALLOC, ARGUMENTS(1), false, &site), 0);
		if (site.emulated)
			fail_msg("loss %zu is not seen", i);
		/* The same instruction does no harm to a function whose first argument is never read. */
		assert_int_equal(site_find(code, size + 1, CALL_MALLOC, ARGUMENTS(0), false, &site), 0);
		if (!site.emulated && i < ARRAY_LENGTH(losses) - 2)
			fail_msg("instruction %zu ends the walk", i);
	}
}

static void test_site_implicit_writes_lose_the_third_argument(void **state)
{
	struct site site;

	(void)state;
	assert_symbol_itself(
		found(FIND(CALL_POSIX_MEMALIGN, 3, "\x48\xf7\xe6\x55", &site), &site)); /* mul %rsi: rax, rdx */
	assert_symbol_itself(found(FIND(CALL_POSIX_MEMALIGN, 3, "\x48\xf7\xee\x55", &site), &site)); /* imul %rsi */
	assert_emulated_at(found(FIND(CALL_CALLOC, 2, "\x48\xf7\xe6\x55", &site), &site), 3, ARG_DI);
	assert_emulated_at(found(FIND(CALL_POSIX_MEMALIGN, 3, "\x48\x0f\xaf\xc6\x55", &site), &site), 4, ARG_DI);
}

static void test_site_follows_an_argument_that_moves_on(void **state)
{
	struct site site;

	(void)state;
	/* mov %rdi,%rbx; mov %rbx,%r12; xor %edi,%edi; xor %ebx,%ebx; push %rbp */
	site = found(FIND(CALL_MALLOC, 1, "\x48\x89\xfb\x49\x89\xdc\x31\xff\x31\xdb\x55", &site), &site);
	assert_emulated_at(site, 10, ARG_R12);
	/* The original is preferred while it is intact: mov %rdi,%rax; push %rbp */
	assert_emulated_at(found(FIND(CALL_MALLOC, 1, "\x48\x89\xf8\x55", &site), &site), 3, ARG_DI);
	/* Two change places through a third: mov %rdi,%rax; mov %rsi,%rdi; mov %rax,%rsi; xor %eax,%eax; push %rbp */
	site = found(FIND(CALL_REALLOC, 2, "\x48\x89\xf8\x48\x89\xf7\x48\x89\xc6\x31\xc0\x55", &site), &site);
	assert_emulated_at(site, 11, ARG_SI);
	assert_int_equal(site.arg[1], ARG_DI);
	/* A 32-bit copy is none: mov %edi,%eax; xor %edi,%edi; push %rbp */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x89\xf8\x31\xff\x55", &site), &site));
	/* Nor is one through memory: mov %rdi,-8(%rsp); xor %edi,%edi; push %rbp */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x48\x89\x7c\x24\xf8\x31\xff\x55", &site), &site));
}

/* test %rdi,%rdi; je +0x20 */
#define NULL_TEST "\x48\x85\xff\x74\x20"

static void test_site_of_free_passes_over_the_null_test(void **state)
{
	struct site site;

	(void)state;
	site = found(FIND(CALL_FREE, 1, NULL_TEST "\x55", &site), &site);
	assert_emulated_at(site, 5, ARG_DI);
	assert_true(site.skips_null);
	/* The pointer was copied, and the copy is tested: mov %rdi,%rax; test %rax,%rax; mov %rax,%rdx; je; push %rbp
	 */
	site = found(FIND(CALL_FREE, 1, "\x48\x89\xf8\x48\x85\xc0\x48\x89\xc2\x74\x20\x55", &site), &site);
	assert_emulated_at(site, 11, ARG_DI);
	assert_true(site.skips_null);
}

static void test_site_of_free_is_the_null_test_when_nothing_follows(void **state)
{
	struct site site;

	(void)state;
	site = found(FIND(CALL_FREE, 1, NULL_TEST "\x48\x83\xec\x18\x55", &site), &site); /* sub $0x18,%rsp */
	assert_emulated_at(site, 3, ARG_DI);
	assert_false(site.skips_null);
	site = found(FIND(CALL_FREE, 1, NULL_TEST "\x31\xff\x55", &site), &site); /* pointer lost */
	assert_emulated_at(site, 3, ARG_DI);
	assert_false(site.skips_null);
	/* A second test of the same pointer is a site, and the end. */
	site = found(FIND(CALL_FREE, 1, NULL_TEST NULL_TEST "\x55", &site), &site);
	assert_emulated_at(site, 8, ARG_DI);
	assert_true(site.skips_null);
}

static void test_site_of_free_other_conditions_are_not_passed(void **state)
{
	struct site site;

	(void)state;
	site = found(FIND(CALL_FREE, 1, "\x48\x85\xff\x75\x20\x55", &site), &site); /* jne */
	assert_emulated_at(site, 3, ARG_DI);
	site = found(FIND(CALL_FREE, 1, "\x85\xff\x74\x20\x55", &site), &site); /* test %edi,%edi */
	assert_emulated_at(site, 2, ARG_DI);
	site = found(FIND(CALL_FREE, 1, "\x48\x85\xf7\x74\x20\x55", &site), &site); /* test %rsi,%rdi */
	assert_emulated_at(site, 3, ARG_DI);
	site = found(FIND(CALL_FREE, 1, "\x48\x85\xf6\x74\x20\x55", &site), &site); /* test %rsi,%rsi */
	assert_emulated_at(site, 3, ARG_DI);
	site = found(FIND(CALL_FREE, 1, "\x48\x85\xff\x31\xc0\x74\x20\x55", &site), &site); /* flags overwritten */
	assert_emulated_at(site, 5, ARG_DI);
	assert_false(site.skips_null);
}

static void test_site_of_others_than_free_stops_at_a_null_test(void **state)
{
	struct site site;

	(void)state;
	site = found(FIND(CALL_REALLOC, 2, NULL_TEST "\x55", &site), &site);
	assert_emulated_at(site, 3, ARG_DI);
	assert_false(site.skips_null);
}

static void test_site_that_a_jump_leads_back_to_is_none(void **state)
{
	struct site site;

	(void)state;
	/* mov %rdi,%rax; nop; dec %rax; jne back to the nop */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x48\x89\xf8\x90\x48\xff\xc8\x75\xfa\xc3", &site), &site));
	/* Back to an instruction before it: mov %rdi,%rax; mov %rsi,%rdx; nop; ...; jne to the second mov */
	assert_symbol_itself(
		found(FIND(CALL_MALLOC, 1, "\x48\x89\xf8\x48\x89\xf2\x90\xff\xc8\x75\xf8\xc3", &site), &site));
	/* Behind it: no harm. */
	assert_emulated_at(found(FIND(CALL_MALLOC, 1, "\x48\x89\xf8\x90\xff\xc8\x75\xfc\xc3", &site), &site), 3,
			   ARG_DI);
	/* To the symbol: a call like any other. */
	assert_emulated_at(found(FIND(CALL_MALLOC, 1, "\x55\x5d\xeb\xfc", &site), &site), 0, ARG_DI);
	/* Found behind bytes that are no code, too. */
	assert_symbol_itself(found(FIND(CALL_MALLOC, 1, "\x48\x89\xf8\x90\xc3\x06\x06\xeb\xfa", &site), &site));
	/* Only the later of free's two sites is affected: test; je +0x20; nop; dec %eax; jne to the nop. */
	site = found(FIND(CALL_FREE, 1, NULL_TEST "\x90\xff\xc8\x75\xfb\xc3", &site), &site);
	assert_emulated_at(site, 3, ARG_DI);
	assert_false(site.skips_null);
}

static void test_site_of_random_bytes_stays_inside_them(void **state)
{
	(void)state;
	srandom(3);
	for (int round = 0; round < 20000; round++) {
		u8 code[48];
		size_t size = 1 + (size_t)random() % sizeof(code);
		u8 *exact = malloc(size); /* so that the sanitizers see a step too far */
		struct site site;
		int err;

		for (size_t i = 0; i < size; i++)
			exact[i] = (u8)random();
		err = site_find(exact, size, (enum call_kind)(1 + random() % CALL_FREE), (unsigned int)random() % 32,
				random() % 2, &site);
		assert_true(err == -EOPNOTSUPP || (err == 0 && site.offset < size));
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_site_without_code_is_an_error),
		cmocka_unit_test(test_site_undecodable_or_cut_prologue_is_the_symbol_itself),
		cmocka_unit_test(test_site_behind_a_write_of_the_stack_pointer_is_none),
		cmocka_unit_test(test_site_behind_a_transfer_of_control_is_none),
		cmocka_unit_test(test_site_behind_a_lost_argument_is_none),
		cmocka_unit_test(test_site_implicit_writes_lose_the_third_argument),
		cmocka_unit_test(test_site_follows_an_argument_that_moves_on),
		cmocka_unit_test(test_site_of_free_passes_over_the_null_test),
		cmocka_unit_test(test_site_of_free_is_the_null_test_when_nothing_follows),
		cmocka_unit_test(test_site_of_free_other_conditions_are_not_passed),
		cmocka_unit_test(test_site_of_others_than_free_stops_at_a_null_test),
		cmocka_unit_test(test_site_that_a_jump_leads_back_to_is_none),
		cmocka_unit_test(test_site_of_random_bytes_stays_inside_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
