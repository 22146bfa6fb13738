/* SPDX-License-Identifier: GPL-2.0-or-later */
/* moved_code.c: what was moved, run beside the original, and what can be undone. */
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

/* Little functions of one argument, in bytes: what compilers make of such. */
static const struct function {
	const char *what;
	u8 code[48];
	u32 size;
	bool first_only; /* too short for a jump behind the first instruction */
} functions[] = {
	{"lea rax, [rdi+rdi*2]; add rax, 7; ret", {0x48, 0x8d, 0x04, 0x7f, 0x48, 0x83, 0xc0, 0x07, 0xc3}, 9, true},
	{"push rbx; mov rbx, rdi; mov rax, rbx; neg rax; pop rbx; ret",
	 {0x53, 0x48, 0x89, 0xfb, 0x48, 0x89, 0xd8, 0x48, 0xf7, 0xd8, 0x5b, 0xc3},
	 12,
	 false},
	{"endbr64; mov rax, rdi; push rbp; mul rdi; mov rbp, rsp; pop rbp; ret",
	 {0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x89, 0xf8, 0x55, 0x48, 0xf7, 0xe7, 0x48, 0x89, 0xe5, 0x5d, 0xc3},
	 16,
	 false},
	{"test rdi, rdi; je zero; mov rax, 3; ret; zero: mov rax, 9; ret",
	 {0x48, 0x85, 0xff, 0x74, 0x08, 0x48, 0xc7, 0xc0, 3, 0, 0, 0, 0xc3, 0x48, 0xc7, 0xc0, 9, 0, 0, 0, 0xc3},
	 21,
	 false},
	{"endbr64; mov rax, [rip+word]; add rax, rdi; ret; word",
	 {0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x8b, 0x05, 0x04, 0, 0, 0, 0x48,
	  0x01, 0xf8, 0xc3, 0x11, 0x22, 0x33, 0,    0,	  0, 0, 0},
	 23,
	 false},
	{"jmp over; ud2; over: lea rax, [rdi+1]; ret",
	 {0xe9, 0x02, 0, 0, 0, 0x0f, 0x0b, 0x48, 0x8d, 0x47, 0x01, 0xc3},
	 12,
	 false},
	{"cmp rdi, 0x1000; ja big; mov eax, 1; ret; big: mov eax, 2; ret",
	 {0x48, 0x81, 0xff, 0x00, 0x10, 0x00, 0x00, 0x0f, 0x87, 6, 0, 0,   0,
	  0xb8, 1,    0,    0,	  0,	0xc3, 0xb8, 2,	  0,	0, 0, 0xc3},
	 25,
	 false},
};

typedef u64 (*function_1)(u64);

static void compare_on(const char *what, u8 *original, u8 *patched)
{
	static const u64 arguments[] = {0, 1, 4095, 4096, 4097, 1ULL << 40, ~0ULL};

	for (size_t j = 0; j < sizeof(arguments) / sizeof(*arguments); j++) {
		u64 expected = ((function_1)(uintptr_t)original)(arguments[j]);

		if (((function_1)(uintptr_t)patched)(arguments[j]) != expected)
			fail_msg("%s, of %llu", what, (unsigned long long)arguments[j]);
	}
}

/* The moved instructions go behind what takes the first one back. */
static void compare_moved(const struct function *function, u8 *memory, enum moved_code_jump jump)
{
	u8 *original = memory, *patched = memory + 0x4000, *moved_to = memory + 0x8000;
	u8 patch[MOVED_CODE_TAKEN_MAX];
	struct moved_code moved;

	memcpy(original, function->code, function->size);
	memcpy(patched, function->code, function->size);
	assert_null(moved_code_make(patched, function->size, (uintptr_t)patched, (uintptr_t)moved_to, jump, &moved));
	memcpy(moved_to, moved.bytes, moved.size);
	memcpy(moved_to - moved.undo_size, moved.undo, moved.undo_size);
	assert_true(moved_code_patch(&moved, (uintptr_t)patched, (uintptr_t)moved_to - moved.undo_size, patch));
	memcpy(patched + moved.skip, patch, moved.taken);
	compare_on(function->what, original, patched);
	/* Who stands behind an instruction that was taken goes on at the same one. */
	for (u32 i = 1; i + 1 < moved.place_count; i++)
		assert_true(moved.places[i].from > moved.skip && moved.places[i].from < moved.skip + MOVED_CODE_JUMP &&
			    moved.places[i].to < moved.size);
}

static void test_moved_code_does_what_the_original_does(void **state)
{
	u8 *memory = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct moved_code moved;

	(void)state;
	assert_true(memory != MAP_FAILED);
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		compare_moved(&functions[i], memory, MOVED_CODE_FIRST);
		if (!functions[i].first_only)
			compare_moved(&functions[i], memory, MOVED_CODE_SECOND);
		if (!moved_code_make(functions[i].code, functions[i].size, FROM, TO, MOVED_CODE_THIRD, &moved))
			compare_moved(&functions[i], memory, MOVED_CODE_THIRD);
	}
	munmap(memory, 1 << 16);
}

struct undone {
	const char *what;
	u8 code[16];
	size_t size;
	const char *refusal;
	u32 skip, taken;
	u8 undo[MOVED_CODE_UNDO_MAX], undo_size;
};

static const struct undone undone[] = {
	{"push %r12; mov %rdi, %r12; ret",
	 {0x41, 0x54, 0x49, 0x89, 0xfc, 0x48, 0x8d, 0x07, 0xc3},
	 9,
	 NULL,
	 2,
	 6,
	 {0x41, 0x5c},
	 2},
	{"push %rbp", {0x55, 0x48, 0x89, 0xe5, 0x48, 0x8d, 0x07, 0xc3}, 8, NULL, 1, 6, {0x5d}, 1},
	{"sub $0x18, %rsp",
	 {0x48, 0x83, 0xec, 0x18, 0x48, 0x8d, 0x07, 0x90, 0x90, 0xc3},
	 10,
	 NULL,
	 4,
	 5,
	 {0x48, 0x8d, 0xa4, 0x24, 0x18},
	 8},
	{"test %rdi, %rdi; je", {0x48, 0x85, 0xff, 0x0f, 0x84, 0x10, 0, 0, 0, 0xc3}, 10, NULL, 3, 6, {0}, 0},
	{"xor %eax, %eax", {0x31, 0xc0, 0x48, 0x89, 0xf8, 0x90, 0x90, 0xc3}, 8, NULL, 2, 5, {0}, 0},
	{"cmpb $0, (%rip); je",
	 {0x80, 0x3d, 0x71, 0x0e, 0x14, 0x00, 0x00, 0x74, 0x01, 0xc3, 0xc3},
	 11,
	 NULL,
	 0,
	 7,
	 {0},
	 0},
	{"jmp elsewhere", {0xe9, 0x10, 0, 0, 0, 0xc3}, 6, NULL, 0, 5, {0}, 0},
	{"endbr64; push %rbp",
	 {0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x48, 0x89, 0xe5, 0x90, 0x90, 0xc3},
	 11,
	 NULL,
	 5,
	 5,
	 {0x5d},
	 1},
	{"endbr64; mov %rdi, %rsi",
	 {0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x89, 0xfe, 0x90, 0x90, 0xc3},
	 10,
	 NULL,
	 4,
	 5,
	 {0},
	 0},
	{"mov %rdi, %rsi",
	 {0x48, 0x89, 0xfe, 0x48, 0x8d, 0x07, 0x90, 0x90, 0xc3},
	 9,
	 "begins with an instruction that cannot be undone",
	 0,
	 0,
	 {0},
	 0},
	{"xor %ecx, %ecx; jmp elsewhere", {0x31, 0xc9, 0xe9, 0x10, 0, 0, 0, 0xc3}, 8, NULL, 2, 5, {0}, 0},
	{"mov %rdi, %r9", {0x49, 0x89, 0xf9, 0x49, 0x89, 0xf0, 0x90, 0x90, 0xc3}, 9, NULL, 3, 5, {0}, 0},
	{"mov (%rcx), %rcx",
	 {0x48, 0x8b, 0x09, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3},
	 9,
	 "begins with an instruction that cannot be undone",
	 0,
	 0,
	 {0},
	 0},
	{"lea 1(%r8), %r8d",
	 {0x45, 0x8d, 0x40, 0x01, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3},
	 10,
	 "begins with an instruction that cannot be undone",
	 0,
	 0,
	 {0},
	 0},
	{"xor %r9d, %ecx",
	 {0x44, 0x31, 0xc9, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3},
	 9,
	 "begins with an instruction that cannot be undone",
	 0,
	 0,
	 {0},
	 0},
	{"a loop back to the second one",
	 {0x55, 0x53, 0x48, 0x89, 0xfb, 0x90, 0x90, 0x75, 0xf8, 0xc3},
	 10,
	 "jumps back to its first instructions",
	 0,
	 0,
	 {0},
	 0},
};

/* tcmalloc's calloc (Debian 13): endbr64; mov %rdi, %rax; push %rbp; mul %rsi; mov %rsp, %rbp; push %r12; probes are at the push */
static void test_moved_code_third(void **state)
{
	static const u8 code[] = {0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x89, 0xf8, 0x55,
				  0x48, 0xf7, 0xe6, 0x48, 0x89, 0xe5, 0x41, 0x54};
	/* pop %rbp; lea 0x18(%rsp), %rsp: what was done last first */
	static const u8 room[] = {0x48, 0x83, 0xec, 0x18, 0x55, 0x48, 0x89, 0xe5, 0x90, 0x90, 0xc3};
	static const u8 undo[] = {0x5d, 0x48, 0x8d, 0xa4, 0x24, 0x18, 0, 0, 0};
	struct moved_code moved;

	(void)state;
	assert_null(moved_code_make(code, sizeof(code), FROM, TO, MOVED_CODE_SECOND, &moved));
	assert_false(moved_code_bears_breakpoint(&moved, 7));
	assert_null(moved_code_make(code, sizeof(code), FROM, TO, MOVED_CODE_THIRD, &moved));
	assert_true(moved_code_bears_breakpoint(&moved, 7));
	assert_int_equal(moved.skip, 8);
	assert_int_equal(moved.taken, 6);
	assert_int_equal(moved.undo_size, 1);
	assert_int_equal(moved.undo[0], 0x5d);
	/* Who came to the push otherwise would have it undone, and the instruction before it done. */
	assert_int_equal(moved_code_first_taken(&moved), 7);
	assert_null(moved_code_make(room, sizeof(room), FROM, TO, MOVED_CODE_THIRD, &moved));
	assert_int_equal(moved.undo_size, sizeof(undo));
	assert_memory_equal(moved.undo, undo, sizeof(undo));
	assert_string_equal(moved_code_make(code + 8, sizeof(code) - 8, FROM, TO, MOVED_CODE_THIRD, &moved),
			    "begins with an instruction that cannot be undone");
}

static void test_moved_code_second(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(undone) / sizeof(*undone); i++) {
		const struct undone *one = &undone[i];
		struct moved_code moved;
		const char *refusal = moved_code_make(one->code, one->size, FROM, TO, MOVED_CODE_SECOND, &moved);

		if (!refusal != !one->refusal || (refusal && strcmp(refusal, one->refusal) != 0))
			fail_msg("%s: %s", one->what, refusal ? refusal : "moved");
		if (refusal)
			continue;
		if (moved.skip != one->skip || moved.taken != one->taken)
			fail_msg("%s: skip %u, taken %u", one->what, moved.skip, moved.taken);
		assert_int_equal(moved.undo_size, one->undo_size);
		assert_memory_equal(moved.undo, one->undo, one->undo_size);
	}
}

/* A probe of another heaptap, or anybody's, at an instruction of the function. */
static void test_moved_code_and_breakpoints(void **state)
{
	/* push %r12; push %rbp; push %rbx; mov %rdi, %rbx; nop; ret: the jump is at 2 to 6, or at 3 to 7 */
	static const u8 pushes[] = {0x41, 0x54, 0x55, 0x53, 0x48, 0x89, 0xfb, 0x90, 0xc3};
	/* test %rdi, %rdi; je; push: at 3 to 7 */
	static const u8 tests[] = {0x48, 0x85, 0xff, 0x0f, 0x84, 0x10, 0, 0, 0, 0x55, 0xc3};
	struct moved_code moved;

	(void)state;
	assert_null(moved_code_make(pushes, sizeof(pushes), FROM, TO, MOVED_CODE_SECOND, &moved));
	assert_true(moved_code_bears_breakpoint(&moved, 0));
	assert_false(moved_code_bears_breakpoint(&moved, 2));
	assert_false(moved_code_bears_breakpoint(&moved, 4));
	assert_true(moved_code_bears_breakpoint(&moved, 7));
	assert_null(moved_code_make(pushes, sizeof(pushes), FROM, TO, MOVED_CODE_THIRD, &moved));
	assert_true(moved_code_bears_breakpoint(&moved, 2));
	assert_false(moved_code_bears_breakpoint(&moved, 4));
	assert_null(moved_code_make(tests, sizeof(tests), FROM, TO, MOVED_CODE_SECOND, &moved));
	assert_true(moved_code_bears_breakpoint(&moved, 0));
	assert_true(moved_code_bears_breakpoint(&moved, 3));
	assert_true(moved_code_bears_breakpoint(&moved, 9));
}

/* --- by way of a landing --- */

/* test %rdi, %rdi; je null; lea 8(%rdi), %rax; ret; six bytes of padding; null: xor %eax, %eax; ret */
static const u8 with_padding[] = {0x48, 0x85, 0xff, 0x74, 0x0b, 0x48, 0x8d, 0x47, 0x08, 0xc3,
				  0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00, 0x31, 0xc0, 0xc3};

static void assert_relayed(const u8 *code, size_t size, enum moved_code_jump jump, u32 skip, u32 taken)
{
	struct moved_code moved;

	assert_null(moved_code_make(code, size, FROM, TO, jump, &moved));
	assert_int_equal(moved.skip, skip);
	assert_int_equal(moved.taken, taken);
	for (u32 offset = 0; offset < size; offset++)
		assert_true(moved_code_bears_breakpoint(&moved, offset));
}

static void test_moved_code_for_a_landing(void **state)
{
	/* xor %r8d, %r8d; jmp */
	static const u8 jump[] = {0x45, 0x31, 0xc0, 0xeb, 0x8b};
	/* push %r12; push %rbp: between two instructions a thread may stand */
	static const u8 pushes[] = {0x41, 0x54, 0x55, 0x53, 0x48, 0x89, 0xfb, 0xc3};
	/* test %rsi, %rsi; je: that is not the pointer */
	static const u8 other[] = {0x48, 0x85, 0xf6, 0x74, 0x02, 0x90, 0x90, 0xc3};
	struct moved_code moved;

	(void)state;
	assert_relayed(with_padding, sizeof(with_padding), MOVED_CODE_RELAYED, 3, 2);
	assert_relayed(with_padding, sizeof(with_padding), MOVED_CODE_RELAYED_PAST_NULL, 5, 4);
	assert_relayed(jump, sizeof(jump), MOVED_CODE_RELAYED, 3, 2);
	assert_string_equal(moved_code_make(pushes, sizeof(pushes), FROM, TO, MOVED_CODE_RELAYED, &moved),
			    "has no room for a jump");
	assert_string_equal(moved_code_make(other, sizeof(other), FROM, TO, MOVED_CODE_RELAYED_PAST_NULL, &moved),
			    "does not begin with a test for NULL");
}

static void test_moved_code_for_a_landing_does_what_the_original_does(void **state)
{
	const u32 landing = 10;
	u8 *memory = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u8 *patched = memory + 0x4000, *moved_to = memory + 0x8000;

	(void)state;
	assert_true(memory != MAP_FAILED);
	for (int jump = MOVED_CODE_RELAYED_PAST_NULL; jump <= MOVED_CODE_RELAYED; jump++) {
		struct moved_code moved, near = {.skip = landing, .taken = MOVED_CODE_JUMP};

		memcpy(memory, with_padding, sizeof(with_padding));
		memcpy(patched, with_padding, sizeof(with_padding));
		assert_null(moved_code_make(patched, sizeof(with_padding), (uintptr_t)patched, (uintptr_t)moved_to,
					    (enum moved_code_jump)jump, &moved));
		memcpy(moved_to, moved.bytes, moved.size);
		assert_true(moved_code_patch(&near, (uintptr_t)patched, (uintptr_t)moved_to, patched + landing));
		moved_code_patch_short(&moved, landing, patched + moved.skip);
		compare_on("by way of a landing", memory, patched);
	}
	munmap(memory, 1 << 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moved_code_does_what_the_original_does),
		cmocka_unit_test(test_moved_code_second),
		cmocka_unit_test(test_moved_code_third),
		cmocka_unit_test(test_moved_code_and_breakpoints),
		cmocka_unit_test(test_moved_code_for_a_landing),
		cmocka_unit_test(test_moved_code_for_a_landing_does_what_the_original_does),
	};

	return cmocka_run_group_tests_name("moved_code_run", tests, NULL, NULL);
}
