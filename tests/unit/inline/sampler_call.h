/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* One call of a sampled function, with all that is true of every call checked, and what the sites have told of it. */
#include <stdlib.h>
#include <unwind.h>

#include "sampler_process.h"

#define CALL_BYTES 128	      /* of the stack, by which the original is called deeper if the call is sampled */
#define SURE	   (1u << 20) /* with a mean of 1 byte a sample, but for one time in e^1048576 */

/* What was told, in order. */
struct told {
	u32 site;
	u64 rdi, rsi, rdx, rcx, rsp;
};
static struct told told[64];
static u32 told_count;

/* The registers that a call must keep (rbx, rbp, r12 to r15), at the last site. */
static u64 kept_at_site[6];

static void on_trap(int number, siginfo_t *info, void *argument)
{
	const greg_t *registers = ((ucontext_t *)argument)->uc_mcontext.gregs;
	static const int kept[] = {REG_RBX, REG_RBP, REG_R12, REG_R13, REG_R14, REG_R15};

	(void)number;
	(void)info;
	if (told_count == sizeof(told) / sizeof(told[0]))
		abort();
	told[told_count++] = (struct told){
		.site = process_site(argument),
		.rdi = (u64)registers[REG_RDI],
		.rsi = (u64)registers[REG_RSI],
		.rdx = (u64)registers[REG_RDX],
		.rcx = (u64)registers[REG_RCX],
		.rsp = (u64)registers[REG_RSP],
	};
	for (u32 i = 0; i < 6; i++)
		kept_at_site[i] = (u64)registers[kept[i]];
}

/*
 * The functions that are sampled. The original of each is a few instructions that note the registers they are called with, and
 * return what a test wants.
 */
u64 seen_arguments[6] __attribute__((visibility("hidden")));
u64 seen_rsp __attribute__((visibility("hidden")));
u64 answer __attribute__((visibility("hidden")));
u64 has_thrown __attribute__((visibility("hidden")));
u64 answer_stored __attribute__((visibility("hidden"))); /* by posix_memalign */

#define ORIGINAL(name, more)                                                                                                \
	__asm__(".text\n.type original_" name ", @function\noriginal_" name ":\n.cfi_startproc\n"                           \
		"mov %rdi, seen_arguments(%rip)\nmov %rsi, seen_arguments + 8(%rip)\nmov %rdx, seen_arguments + 16(%rip)\n" \
		"mov %rcx, seen_arguments + 24(%rip)\nmov %r8, seen_arguments + 32(%rip)\n"                                 \
		"mov %r9, seen_arguments + 40(%rip)\nmov %rsp, seen_rsp(%rip)\n" more "mov answer(%rip), %rax\n"            \
		"xor %edi, %edi\nxor %esi, %esi\nxor %edx, %edx\nxor %ecx, %ecx\nxor %r8d, %r8d\nxor %r9d, %r9d\n"          \
		"xor %r10d, %r10d\nxor %r11d, %r11d\nret\n.cfi_endproc\n")

ORIGINAL("malloc", "");
ORIGINAL("nothrow", "");
ORIGINAL("throwing", "movq $1, has_thrown(%rip)\n");
ORIGINAL("aligned", "mov answer_stored(%rip), %rax\nmov %rax, (%rdi)\n");
ORIGINAL("realloc", "");
ORIGINAL("resize", "");
ORIGINAL("duplicate", "");
ORIGINAL("free", "");
ORIGINAL("free_second", "");

/* A realloc that frees within by a sampled function; another thread's allocation then gets the address. */
__attribute__((visibility("hidden"))) u64 original_busy(u64 old, u64 size);
u64 sampled_busy(u64, ...);

/* Functions that are unwound from, as by an exception. */
__attribute__((visibility("hidden"))) u64 original_unwound(u64 size);
__attribute__((visibility("hidden"))) u64 original_unwound_realloc(u64 old, u64 size);
__attribute__((visibility("hidden"))) u64 original_unwound_throwing(u64 size);
u64 sampled_unwound(u64, ...);
u64 sampled_unwound_realloc(u64, ...);
u64 sampled_unwound_throwing(u64, ...);

PROCESS_ALLOC(malloc, 1, 0, "%rdi");
PROCESS_ALLOC(unwound, 1, 0, "%rdi");
PROCESS_REALLOC(unwound_realloc, 7);
PROCESS_NEW(throwing, nothrow);
PROCESS_NEW(unwound_throwing, nothrow);
PROCESS_REALLOC(busy, 7);
PROCESS_ALLOC(aligned, 5, 1, "%rdx");
PROCESS_DUPLICATE(duplicate);
PROCESS_REALLOC(realloc, 3);
PROCESS_REALLOC(resize, 7);
PROCESS_FREE(free, 1, "%rdi");
PROCESS_FREE(free_second, 2, "%rsi");

_Static_assert(CALL_MALLOC == 1 && CALL_POSIX_MEMALIGN == 5 && CALL_REALLOC == 3 && CALL_RESIZE == 7 &&
		       CALL_FREE == 6 && CALL_NEW == 12,
	       "as the assembly has it");

u64 sampled_malloc(u64, ...);
u64 sampled_throwing(u64, ...);
u64 sampled_aligned(u64, ...);
u64 sampled_duplicate(u64, ...);
u64 sampled_realloc(u64, ...);
u64 sampled_resize(u64, ...);
u64 sampled_free(u64, ...);
u64 sampled_free_second(u64, ...);
typedef u64 (*function)(u64, ...);

void __register_frame(void *eh_frame); /* libgcc's, which has no header for them */
void __deregister_frame(void *eh_frame);

u64 original_busy(u64 old, u64 size)
{
	sampled_free(old);
	answer = old;
	sampled_malloc(size);
	return 0x9000;
}

/*
 * Call with six arguments, and with numbers in the registers that a call must keep; entry_rsp is what rsp is at the entry. Returns
 * the result; kept_after is what the registers had after it.
 */
u64 entry_rsp __attribute__((visibility("hidden")));
u64 kept_after[7] __attribute__((visibility("hidden")));
u64 call_with(function function, const u64 *arguments);
__asm__(".text\n.type call_with, @function\ncall_with:\n.cfi_startproc\n"
	"push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\nsub $8, %rsp\n"
	".cfi_adjust_cfa_offset 56\n.cfi_offset rbx, -16\n.cfi_offset rbp, -24\n.cfi_offset r12, -32\n"
	".cfi_offset r13, -40\n.cfi_offset r14, -48\n.cfi_offset r15, -56\n"
	"mov %rdi, %rax\nmov %rsi, %r10\n"
	"mov (%r10), %rdi\nmov 8(%r10), %rsi\nmov 16(%r10), %rdx\nmov 24(%r10), %rcx\nmov 32(%r10), %r8\nmov 40(%r10), %r9\n"
	"mov $101, %ebx\nmov $102, %ebp\nmov $103, %r12d\nmov $104, %r13d\nmov $105, %r14d\nmov $106, %r15d\n"
	"lea -8(%rsp), %r10\nmov %r10, entry_rsp(%rip)\n"
	"call *%rax\n"
	".globl call_with_return\ncall_with_return:\n"
	"mov %rbx, kept_after(%rip)\nmov %rbp, kept_after + 8(%rip)\nmov %r12, kept_after + 16(%rip)\n"
	"mov %r13, kept_after + 24(%rip)\nmov %r14, kept_after + 32(%rip)\nmov %r15, kept_after + 40(%rip)\n"
	"mov %rsp, kept_after + 48(%rip)\n"
	"add $8, %rsp\npop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\n"
	".cfi_adjust_cfa_offset -56\nret\n.cfi_endproc\n");
extern const u8 call_with_return[];

/* The return addresses on the stack of an original, as an exception would find them. */
static u64 unwound[16];
static u32 unwound_count;

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *argument)
{
	(void)argument;
	if (unwound_count == sizeof(unwound) / sizeof(unwound[0]))
		return _URC_END_OF_STACK;
	unwound[unwound_count++] = _Unwind_GetIP(context);
	return _URC_NO_REASON;
}

u64 original_unwound(u64 size)
{
	(void)size;
	unwound_count = 0;
	_Unwind_Backtrace(on_frame, NULL);
	return answer;
}

u64 original_unwound_realloc(u64 old, u64 size)
{
	(void)old;
	return original_unwound(size);
}

u64 original_unwound_throwing(u64 size)
{
	return original_unwound(size);
}

static void assert_kept(const u64 *kept)
{
	for (u64 i = 0; i < 6; i++)
		assert_int_equal(kept[i], 101 + i);
}

/* Call, and check what holds for every call: arguments and alignment in the original, kept registers and stack afterwards. */
static u64 call(function function, u64 one, u64 two, u64 three)
{
	const u64 arguments[6] = {one, two, three, 44, 55, 66};
	u64 result;

	told_count = 0;
	memset(seen_arguments, 0, sizeof(seen_arguments));
	result = call_with(function, arguments);
	assert_memory_equal(seen_arguments, arguments, sizeof(arguments));
	assert_int_equal(seen_rsp % 16, 8);
	assert_int_equal(result, answer);
	assert_kept(kept_after);
	assert_int_equal(kept_after[6], entry_rsp + 8);
	return result;
}

static u64 call_answering(u64 wanted, function function, u64 one, u64 two, u64 three)
{
	answer = wanted;
	return call(function, one, two, three);
}

static void assert_told(u32 index, u32 site, u64 object)
{
	assert_true(index < told_count);
	assert_int_equal(told[index].site, site);
	assert_int_equal(told[index].rdi, object);
}

/* A sample that is like a function's entry, as the unwinder takes it. */
static void assert_born(u32 index, u64 object, u64 size, bool untold)
{
	assert_told(index, SAMPLER_BORN, object);
	assert_int_equal(told[index].rsi, size);
	assert_int_equal(told[index].rcx, untold);
	assert_int_equal(told[index].rsp, entry_rsp);
	assert_kept(kept_at_site);
}

static int begin(void **state)
{
	(void)state;
	process_begin(1, 10);
	process_on_trap(on_trap);
	return 0;
}

static int end(void **state)
{
	(void)state;
	process_end();
	return 0;
}

static void assert_empty(void)
{
	const u8 *filter = process_filter;

	for (u32 i = 0; i < 1u << process_config->table_bits; i++)
		assert_int_equal(process_table()[i], 0);
	for (u32 i = 0; i < SAMPLER_FILTER; i++)
		assert_int_equal(filter[i], 0);
}

static void assert_moved(u64 object, bool gone)
{
	assert_told(0, SAMPLER_MOVED, object);
	assert_told(1, SAMPLER_SETTLED, object);
	assert_int_equal(told[1].rsi, gone);
	assert_int_equal(told[0].rsp, told[1].rsp);
	assert_true(told[0].rsp < entry_rsp);
	assert_int_equal(seen_rsp, entry_rsp - CALL_BYTES);
}
