/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A function whose callers count on every register that it leaves alone: called through a fast path that keeps them and the blob's
 * slow paths, it must leave all registers and flags as it does when it is called itself, whether the call is sampled or not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "inline/blob/seed.h"
#include "inline/fast_path.h"
#include "sampler_process.h"

#define CALLS	     4000
#define SAMPLE_BYTES 1000
#define STATUS_FLAGS 0x8d5 /* carry, parity, adjust, zero, sign, overflow */
#define ALWAYS_FLAGS 0x202
#define STRING_BYTES 40

enum {
	RAX,
	RCX,
	RDX,
	RBX,
	RBP,
	RSI,
	RDI,
	R8,
	R15 = R8 + 7,
	FLAGS,
	RSP, /* after a call; before it only whether its last four bits are to be unlike the calling convention's */
	REGISTERS
};

/* What the assembly below calls, with which registers, and what these are afterwards. */
void *called __attribute__((visibility("hidden")));
u64 registers[REGISTERS] __attribute__((visibility("hidden")));
u64 kept_rsp __attribute__((visibility("hidden")));
extern const u8 called_return[] __attribute__((visibility("hidden")));
void call_with_registers(void);

#define EACH_REGISTER(move)                                                                                            \
	move("rax", 0) move("rcx", 8) move("rdx", 16) move("rbx", 24) move("rbp", 32) move("rsi", 40) move("rdi", 48)  \
		move("r8", 56) move("r9", 64) move("r10", 72) move("r11", 80) move("r12", 88) move("r13", 96)          \
			move("r14", 104) move("r15", 112)
#define LOAD(name, at)	"mov registers + " #at "(%rip), %" name "\n"
#define STORE(name, at) "mov %" name ", registers + " #at "(%rip)\n"

__asm__(".text\n.type call_with_registers, @function\ncall_with_registers:\n"
	"push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\nmov %rsp, kept_rsp(%rip)\n"
	"sub registers + 128(%rip), %rsp\nsub $8, %rsp\n"
	"push registers + 120(%rip)\npopf\n" EACH_REGISTER(LOAD) "call *called(%rip)\n.globl called_return\ncalled_return:\n" EACH_REGISTER(
		STORE) "mov %rsp, registers + 128(%rip)\npushf\npop registers + 120(%rip)\n"
		       "mov kept_rsp(%rip), %rsp\npop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\ncld\nret\n");

/*
 * The originals. The first leaves alone what it can, flags too; the second changes some of the registers that callers may
 * use, and the flags.
 */
u64 answer __attribute__((visibility("hidden")));
extern const u8 original_quiet[], original_quiet_end[], original_busy[], original_busy_end[], original_stored[],
	original_stored_end[];
__asm__(".text\noriginal_quiet: mov answer(%rip), %rax\nret\noriginal_quiet_end:\n"
	"original_busy: mov answer(%rip), %rax\nlea 3(%rdx), %rdx\nlea (%rcx,%r9), %r8\nmov %rdi, %r11\ncmp %rsi, %r10\nret\n"
	"original_busy_end:\n"
	"original_stored: mov answer(%rip), %r10\nmov %r10, (%rdi)\nmov $0, %eax\nret\noriginal_stored_end:\n");

static u32 told[SAMPLER_SITES];
static u64 random_state = 1;

static u64 random_number(void)
{
	return splitmix64(random_state += SPLITMIX_STEP);
}

/* At both the stack is as at the entry of the call. */
static void on_site(int number, siginfo_t *info, void *argument)
{
	ucontext_t *context = argument;
	u32 site = process_site(context);

	(void)number;
	(void)info;
	if (site == SAMPLER_SITES)
		abort();
	if ((site == SAMPLER_BORN || site == SAMPLER_FREED) &&
	    *(u64 *)context->uc_mcontext.gregs[REG_RSP] != (uintptr_t)called_return)
		abort();
	told[site]++;
}

static struct fast_path_sampler sampler_of_process(void)
{
	struct fast_path_sampler sampler = {.slots = (uintptr_t)process_slots, .filter = (uintptr_t)process_filter};

	for (u32 i = 0; i < SAMPLER_ENTRIES; i++)
		sampler.kept_entries[i] = (uintptr_t)process_image + process_header()->kept_entries[i];
	return sampler;
}

struct scene {
	u8 *paths;
	void *entry;
	const u8 *original;
};

static int setup(void **state)
{
	static struct scene scene;
	u8 *behind;

	process_begin(SAMPLE_BYTES, 14);
	process_on_trap(on_site);
	memset(told, 0, sizeof(told));
	behind = process_image + (process_bytes(14) + SAMPLER_PAGE) / SAMPLER_PAGE * SAMPLER_PAGE;
	scene.paths =
		mmap(behind, SAMPLER_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_equal(scene.paths, behind);
	*state = &scene;
	return 0;
}

static int teardown(void **state)
{
	const struct scene *scene = *state;

	munmap(scene->paths, SAMPLER_PAGE);
	process_end();
	return 0;
}

static void make(struct scene *scene, enum call_kind kind, const u8 *original, const u8 *end)
{
	const struct fast_path_sampler sampler = sampler_of_process();
	const struct fast_path_function function = {
		.kind = kind,
		.argument = {1, kind == CALL_POSIX_MEMALIGN ? 3 : 2, 3},
		.code = original,
		.size = (size_t)(end - original),
		.address = (uintptr_t)original,
		.keeps = true,
	};
	struct fast_path path;

	assert_null(fast_path_make(&function, &sampler, (uintptr_t)scene->paths, &path));
	memcpy(scene->paths, path.bytes, path.size);
	scene->entry = (void *)path.entry;
	scene->original = original;
}

#define MAKE(scene, kind, name) make(scene, kind, original_##name, original_##name##_end)

static void call(const void *function, const u64 before[REGISTERS], u64 ret_after[REGISTERS])
{
	memcpy(registers, before, sizeof(registers));
	called = (void *)function;
	call_with_registers();
	memcpy(ret_after, registers, sizeof(registers));
}

/* Anything in all registers, and any status. */
static void draw(u64 ret_before[REGISTERS])
{
	for (u32 i = 0; i < REGISTERS; i++)
		ret_before[i] = random_number();
	ret_before[FLAGS] = (ret_before[FLAGS] & STATUS_FLAGS) | ALWAYS_FLAGS;
	ret_before[RSP] = ret_before[RSP] & 8;
}

static void call_both(const struct scene *scene, const u64 before[REGISTERS])
{
	u64 direct[REGISTERS], sampled[REGISTERS];

	call(scene->original, before, direct);
	call(scene->entry, before, sampled);
	for (u32 i = 0; i < REGISTERS; i++)
		assert_int_equal(sampled[i], direct[i]);
}

/* Both happened often: with sizes up to twice the mean, no site or nothing else has a probability below 0.9^4000. */
static void assert_some_sampled(enum sampler_site site)
{
	assert_in_range(told[site], 1, CALLS - 1);
}

static void test_allocations(void **state)
{
	u64 before[REGISTERS];

	for (u32 i = 0; i < CALLS; i++) {
		draw(before);
		before[RDI] %= 2 * SAMPLE_BYTES;
		answer = i % 8 ? random_number() >> 17 : 0;
		if (i % 2)
			MAKE(*state, CALL_MALLOC, quiet);
		else
			MAKE(*state, CALL_NEW, busy);
		call_both(*state, before);
	}
	assert_some_sampled(SAMPLER_BORN);
}

/* Every way of the product and the alignment. */
static void test_allocations_of_two_arguments(void **state)
{
	u64 before[REGISTERS];

	for (u32 i = 0; i < CALLS; i++) {
		draw(before);
		before[RDI] %= i % 16 ? 32 : ~0ULL;
		before[RSI] %= i % 16 ? 64 : ~0ULL;
		answer = random_number() >> 17;
		MAKE(*state, i % 2 ? CALL_CALLOC : CALL_ALIGNED, busy);
		call_both(*state, before);
	}
	assert_some_sampled(SAMPLER_BORN);
}

static void test_posix_memalign(void **state)
{
	u64 before[REGISTERS], stored;

	MAKE(*state, CALL_POSIX_MEMALIGN, stored);
	for (u32 i = 0; i < CALLS; i++) {
		draw(before);
		before[RDI] = (uintptr_t)&stored;
		before[RDX] %= 2 * SAMPLE_BYTES;
		answer = random_number() >> 17;
		call_both(*state, before);
		assert_int_equal(stored, answer);
	}
	assert_some_sampled(SAMPLER_BORN);
}

static void test_duplicates(void **state)
{
	static const char string[STRING_BYTES] = "The string that all of them return.";
	u64 before[REGISTERS];

	MAKE(*state, CALL_DUPLICATE, busy);
	for (u32 i = 0; i < CALLS; i++) {
		draw(before);
		answer = i % 2 ? (uintptr_t)string : 0;
		call_both(*state, before);
	}
	assert_some_sampled(SAMPLER_BORN);
}

/* Objects that are known, freed or resized; failures; and NULL. */
static void test_frees_and_resizes(void **state)
{
	static const enum call_kind kinds[] = {CALL_FREE, CALL_RESIZE, CALL_REALLOC, CALL_RESIZE_ARRAY};
	u64 before[REGISTERS], object = 0;

	for (u32 i = 0; i < CALLS; i++) {
		draw(before);
		before[RDI] = 2 * SAMPLE_BYTES;
		answer = object = random_number() >> 17;
		MAKE(*state, CALL_MALLOC, quiet);
		call_both(*state, before);
		before[RDI] = i % 16 ? object : 0;
		before[RSI] %= i % 8 ? 40 : 1;
		before[RDX] %= 40;
		answer = i % 4 ? random_number() >> 17 : 0;
		MAKE(*state, kinds[i % 4], busy);
		call_both(*state, before);
	}
	for (u32 site = 0; site < SAMPLER_SITES; site++)
		assert_true(told[site] > 0);
	assert_int_equal(told[SAMPLER_MOVED], told[SAMPLER_SETTLED]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_allocations),	      TEST(test_allocations_of_two_arguments),
		TEST(test_posix_memalign),    TEST(test_duplicates),
		TEST(test_frees_and_resizes),
	};

	return cmocka_run_group_tests_name("kept registers", tests, NULL, NULL);
}
