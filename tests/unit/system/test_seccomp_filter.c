/* SPDX-License-Identifier: GPL-2.0-or-later */
/* system/seccomp_filter: programs as they are in use, and each instruction, beside what they must return. */
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "system/seccomp_filter.h"

#define COUNT(code) (sizeof(code) / sizeof(*(code)))

static u32 run(const struct sock_filter *code, size_t count, int number, u64 argument)
{
	const struct seccomp_data data = {.nr = number, .arch = AUDIT_ARCH_X86_64, .args = {argument}};

	return seccomp_filter_run(code, (u32)count, &data);
}

/* The architecture, a list of numbers, and a call that is allowed with one argument only: what libseccomp makes. */
static void test_seccomp_filter_lists(void **state)
{
	static const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 7),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socketpair, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
	};

	(void)state;
	assert_int_equal(run(code, COUNT(code), SYS_mmap, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(run(code, COUNT(code), SYS_socketpair, 1), SECCOMP_RET_ALLOW);
	assert_int_equal(run(code, COUNT(code), SYS_socketpair, 2), SECCOMP_RET_ERRNO | 1);
	assert_int_equal(run(code, COUNT(code), SYS_recvmsg, 1), SECCOMP_RET_ERRNO | 1);
	assert_int_equal(run(code, COUNT(code), 0x40000009, 1), SECCOMP_RET_ERRNO | 1);
}

static void test_seccomp_filter_computes(void **state)
{
	static const struct {
		u16 operation;
		u32 result; /* of 100 and 7 */
	} operations[] = {
		{BPF_ADD, 107}, {BPF_SUB, 93}, {BPF_MUL, 700},	 {BPF_DIV, 14}, {BPF_AND, 4},
		{BPF_OR, 103},	{BPF_XOR, 99}, {BPF_LSH, 12800}, {BPF_RSH, 0},	{BPF_NEG, (u32)-100},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(operations); i++) {
		const struct sock_filter by_value[] = {
			BPF_STMT(BPF_LD | BPF_IMM, 100),
			BPF_STMT((u16)(BPF_ALU | operations[i].operation | BPF_K), 7),
			BPF_STMT(BPF_RET | BPF_A, 0),
		};
		const struct sock_filter by_register[] = {
			BPF_STMT(BPF_LD | BPF_IMM, 7),
			BPF_STMT(BPF_ST, 3),
			BPF_STMT(BPF_LDX | BPF_MEM, 3),
			BPF_STMT(BPF_LD | BPF_IMM, 100),
			BPF_STMT((u16)(BPF_ALU | operations[i].operation | BPF_X), 0),
			BPF_STMT(BPF_RET | BPF_A, 0),
		};

		assert_int_equal(run(by_value, COUNT(by_value), 0, 0), operations[i].result);
		assert_int_equal(run(by_register, COUNT(by_register), 0, 0), operations[i].result);
	}
}

static void test_seccomp_filter_jumps(void **state)
{
	static const struct {
		u16 operation;
		u32 value;
		bool met; /* of 6 */
	} conditions[] = {
		{BPF_JEQ, 6, true}, {BPF_JEQ, 5, false}, {BPF_JGT, 5, true},  {BPF_JGT, 6, false},
		{BPF_JGE, 6, true}, {BPF_JGE, 7, false}, {BPF_JSET, 4, true}, {BPF_JSET, 9, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(conditions); i++) {
		const struct sock_filter code[] = {
			BPF_STMT(BPF_LD | BPF_IMM, 6),
			BPF_JUMP((u16)(BPF_JMP | conditions[i].operation | BPF_K), conditions[i].value, 1, 0),
			BPF_STMT(BPF_RET | BPF_K, 0),
			BPF_STMT(BPF_JMP | BPF_JA, 1),
			BPF_STMT(BPF_RET | BPF_K, 2),
			BPF_STMT(BPF_RET | BPF_K, 1),
		};

		assert_int_equal(run(code, COUNT(code), 0, 0), conditions[i].met);
	}
}

/* What the kernel would not have accepted is no reason to call. */
static void test_seccomp_filter_not_understood(void **state)
{
	static const struct sock_filter outside[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(struct seccomp_data)),
						     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	static const struct sock_filter endless[] = {BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff)};
	static const struct sock_filter memory[] = {BPF_STMT(BPF_ST, 99), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};

	static const struct sock_filter division[] = {
		BPF_STMT(BPF_LDX | BPF_IMM, 0),
		BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	(void)state;
	assert_int_equal(run(outside, COUNT(outside), 0, 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(run(endless, COUNT(endless), 0, 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(run(memory, COUNT(memory), 0, 0), SECCOMP_RET_KILL_PROCESS);
	/* The kernel ends the program at a division by 0, which it accepts if the divisor is in a register. */
	assert_int_equal(run(division, COUNT(division), 0, 0), SECCOMP_RET_KILL_PROCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seccomp_filter_lists),
		cmocka_unit_test(test_seccomp_filter_computes),
		cmocka_unit_test(test_seccomp_filter_jumps),
		cmocka_unit_test(test_seccomp_filter_not_understood),
	};

	return cmocka_run_group_tests_name("seccomp_filter", tests, NULL, NULL);
}
