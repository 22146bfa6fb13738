/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inline/moved_code: beginnings of real allocators' functions, as they were built, are moved and patched or refused; and what has been
 * moved is run, and does what the original does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "inline/moved_code.h"

#define FROM 0x7f0000001000ULL
#define TO   0x7f0000401000ULL

struct beginning {
	const char *whose;
	u8 code[40]; /* the rest of the function is taken to be nops */
	u32 size;
	const char *refusal; /* NULL: it is moved */
	u32 skip, taken;
};

static const struct beginning beginnings[] = {
	{"glibc 2.36 malloc: push r12; push rbp; push rbx; mov rax, [rip+]",
	 {0x41, 0x54, 0x55, 0x53, 0x48, 0x8b, 0x05, 0x10, 0x20, 0x30, 0x00, 0x48, 0x85, 0xff},
	 14,
	 NULL,
	 0,
	 11},
	{"glibc 2.36 free: test rdi, rdi; je +; push",
	 {0x48, 0x85, 0xff, 0x0f, 0x84, 0xb7, 0x00, 0x00, 0x00, 0x55},
	 10,
	 NULL,
	 0,
	 9},
	{"endbr64; push r14; push r13; push r12",
	 {0xf3, 0x0f, 0x1e, 0xfa, 0x41, 0x56, 0x41, 0x55, 0x41, 0x54, 0x55},
	 11,
	 NULL,
	 4,
	 6},
	{"musl calloc: mov rax, -1; xor edx, edx; push", {0x48, 0x83, 0xc8, 0xff, 0x31, 0xd2, 0x53}, 7, NULL, 0, 6},
	{"jemalloc malloc: cmp rdi, 0x1000; ja",
	 {0x48, 0x81, 0xff, 0x00, 0x10, 0x00, 0x00, 0x0f, 0x87, 0x10, 0x01, 0x00, 0x00},
	 13,
	 NULL,
	 0,
	 7},
	{"tcmalloc: short jump behind the test", {0x48, 0x85, 0xff, 0x74, 0x20, 0x55}, 6, NULL, 0, 5},
	{"a name of another function: jmp", {0xe9, 0x00, 0x10, 0x00, 0x00, 0x90}, 6, NULL, 0, 5},
	{"fs: mov rax, fs:0x28; ", {0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0, 0x90}, 10, NULL, 0, 9},
	{"mov rax, [eip+]",
	 {0x67, 0x48, 0x8b, 0x05, 0x10, 0x20, 0x30, 0x00},
	 8,
	 "reads memory in a way that is not known",
	 0,
	 0},
	{"call first", {0xe8, 0x00, 0x10, 0x00, 0x00}, 5, "begins with a call", 0, 0},
	{"ret", {0x31, 0xc0, 0xc3, 0x90, 0x90}, 5, "begins with what cannot be moved", 0, 0},
	{"indirect jump", {0xff, 0x25, 0x00, 0x10, 0x00, 0x00}, 6, "begins with what cannot be moved", 0, 0},
	{"loop", {0x90, 0xe2, 0x10, 0x90, 0x90}, 5, "begins with an instruction that is not known", 0, 0},
	{"jrcxz", {0xe3, 0x10, 0x90, 0x90, 0x90}, 5, "begins with what cannot be moved", 0, 0},
	{"syscall", {0x0f, 0x05, 0x90, 0x90, 0x90}, 5, "begins with what cannot be moved", 0, 0},
	{"rdtsc", {0x0f, 0x31, 0x90, 0x90, 0x90}, 5, "begins with an instruction that is not known", 0, 0},
	{"lock", {0xf0, 0x48, 0xff, 0x07, 0x90}, 5, NULL, 0, 5},
	{"three bytes", {0x48, 0x89, 0xf8}, 3, "is too short, or not known code", 0, 0},
	{"jump of two bytes", {0xeb, 0x10, 0x90, 0x90, 0x90}, 5, "is too short, or not known code", 0, 0},
	{"no instruction", {0x06, 0x07, 0x90, 0x90, 0x90}, 5, "is too short, or not known code", 0, 0},
	{"jump to itself", {0x53, 0x74, 0xfd, 0x55, 0x55}, 5, "jumps within its first instructions", 0, 0},
	{"jump within", {0x53, 0x74, 0x01, 0x55, 0x55}, 5, "jumps within its first instructions", 0, 0},
	{"loop back to the second instruction",
	 {0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x90, 0x90, 0x75, 0xf7},
	 10,
	 "jumps back to its first instructions",
	 0,
	 0},
	{"loop back to the first instruction",
	 {0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x90, 0x90, 0x75, 0xf6},
	 10,
	 "jumps back to its first instructions",
	 0,
	 0},
	{"loop back to the endbr64 in front of it",
	 {0xf3, 0x0f, 0x1e, 0xfa, 0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x75, 0xf4},
	 12,
	 "jumps back to its first instructions",
	 0,
	 0},
	{"call of itself",
	 {0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x90, 0x90, 0xe8, 0xf3, 0xff, 0xff, 0xff},
	 13,
	 NULL,
	 0,
	 6},
	{"call of its own second instruction",
	 {0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x90, 0x90, 0xe8, 0xf4, 0xff, 0xff, 0xff},
	 13,
	 "jumps back to its first instructions",
	 0,
	 0},
};

static void test_moved_code_of_real_functions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++) {
		const struct beginning *beginning = &beginnings[i];
		struct moved_code moved;
		const char *refusal =
			moved_code_make(beginning->code, beginning->size, FROM, TO, MOVED_CODE_FIRST, &moved);

		if (!refusal != !beginning->refusal || (refusal && strcmp(refusal, beginning->refusal) != 0))
			fail_msg("%s: %s", beginning->whose, refusal ? refusal : "moved");
		if (refusal)
			continue;
		if (moved.skip != beginning->skip || moved.taken != beginning->taken)
			fail_msg("%s: skip %u, taken %u", beginning->whose, moved.skip, moved.taken);
	}
}

/* rip-relative operands and branches lead to the same addresses. */
static void test_moved_code_keeps_what_it_refers_to(void **state)
{
	static const u8 code[] = {0x48, 0x8b, 0x05, 0x10, 0x20, 0x30, 0x00, 0x90};
	static const u8 branch[] = {0x48, 0x85, 0xff, 0x74, 0x20, 0x55};
	struct moved_code moved;
	s32 displacement;

	(void)state;
	assert_null(moved_code_make(code, sizeof(code), FROM, TO, MOVED_CODE_FIRST, &moved));
	memcpy(&displacement, moved.bytes + 3, 4);
	assert_true(TO + 7 + (u64)(s64)displacement == FROM + 7 + 0x302010);
	assert_int_equal(moved.bytes[7], 0xe9);
	memcpy(&displacement, moved.bytes + 8, 4);
	assert_true(TO + 12 + (u64)(s64)displacement == FROM + 7);

	assert_null(moved_code_make(branch, sizeof(branch), FROM, TO, MOVED_CODE_FIRST, &moved));
	assert_int_equal(moved.bytes[3], 0x0f);
	assert_int_equal(moved.bytes[4], 0x84);
	memcpy(&displacement, moved.bytes + 5, 4);
	assert_true(TO + 9 + (u64)(s64)displacement == FROM + 5 + 0x20);
}

static void test_moved_code_too_far_is_refused(void **state)
{
	static const u8 code[] = {0x48, 0x8b, 0x05, 0x10, 0x20, 0x30, 0x00, 0x90};
	static const u8 plain[] = {0x41, 0x56, 0x41, 0x55, 0x41, 0x54};
	struct moved_code moved;
	u8 patch[MOVED_CODE_TAKEN_MAX];

	(void)state;
	assert_string_equal(moved_code_make(code, sizeof(code), FROM, FROM + (3ULL << 30), MOVED_CODE_FIRST, &moved),
			    "reads memory too far away");
	assert_string_equal(moved_code_make(plain, sizeof(plain), FROM, FROM + (3ULL << 30), MOVED_CODE_FIRST, &moved),
			    "is too far away");
	assert_null(moved_code_make(plain, sizeof(plain), FROM, TO, MOVED_CODE_FIRST, &moved));
	assert_true(moved_code_patch(&moved, FROM, TO, patch));
	assert_int_equal(patch[0], 0xe9);
	assert_int_equal(patch[5], 0xcc);
	assert_false(moved_code_patch(&moved, FROM, FROM + (3ULL << 30), patch));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moved_code_of_real_functions),
		cmocka_unit_test(test_moved_code_keeps_what_it_refers_to),
		cmocka_unit_test(test_moved_code_too_far_is_refused),
	};

	return cmocka_run_group_tests_name("moved_code", tests, NULL, NULL);
}
