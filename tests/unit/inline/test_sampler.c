/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/inline/blob/: the image, and each call that it may take part in, one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "inline/frame_header.h"

#include "sampler_process.h"

#define SURE (1u << 20) /* with a mean of 1 byte a sample, but for one time in e^1048576 */

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
u64 answer_stored __attribute__((visibility("hidden"))); /* by posix_memalign */

#define ORIGINAL(name, more)                                                                                                \
	__asm__(".text\n.type original_" name ", @function\noriginal_" name ":\n.cfi_startproc\n"                           \
		"mov %rdi, seen_arguments(%rip)\nmov %rsi, seen_arguments + 8(%rip)\nmov %rdx, seen_arguments + 16(%rip)\n" \
		"mov %rcx, seen_arguments + 24(%rip)\nmov %r8, seen_arguments + 32(%rip)\n"                                 \
		"mov %r9, seen_arguments + 40(%rip)\nmov %rsp, seen_rsp(%rip)\n" more "mov answer(%rip), %rax\n"            \
		"xor %edi, %edi\nxor %esi, %esi\nxor %edx, %edx\nxor %ecx, %ecx\nxor %r8d, %r8d\nxor %r9d, %r9d\n"          \
		"xor %r10d, %r10d\nxor %r11d, %r11d\nret\n.cfi_endproc\n")

ORIGINAL("malloc", "");
ORIGINAL("aligned", "mov answer_stored(%rip), %rax\nmov %rax, (%rdi)\n");
ORIGINAL("realloc", "");
ORIGINAL("resize", "");
ORIGINAL("free", "");
ORIGINAL("free_second", "");

PROCESS_ALLOC(malloc, 1, 0, "%rdi");
PROCESS_ALLOC(aligned, 5, 1, "%rdx");
PROCESS_REALLOC(realloc, 3);
PROCESS_REALLOC(resize, 7);
PROCESS_FREE(free, 1, "%rdi");
PROCESS_FREE(free_second, 2, "%rsi");

_Static_assert(CALL_MALLOC == 1 && CALL_POSIX_MEMALIGN == 5 && CALL_REALLOC == 3 && CALL_RESIZE == 7 && CALL_FREE == 6,
	       "as the assembly has it");

u64 sampled_malloc(u64, ...);
u64 sampled_aligned(u64, ...);
u64 sampled_realloc(u64, ...);
u64 sampled_resize(u64, ...);
u64 sampled_free(u64, ...);
u64 sampled_free_second(u64, ...);
typedef u64 (*function)(u64, ...);

/*
 * Call with six arguments, and with numbers in the registers that a call must keep; entry_rsp is what rsp is at the entry. Returns
 * the result; kept_after is what the registers had after it.
 */
u64 entry_rsp __attribute__((visibility("hidden")));
u64 kept_after[7] __attribute__((visibility("hidden")));
u64 call_with(function function, const u64 *arguments);
__asm__(".text\n.type call_with, @function\ncall_with:\n.cfi_startproc\n"
	"push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\nsub $8, %rsp\n"
	".cfi_adjust_cfa_offset 56\n"
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

static void test_image_is_as_its_header_says(void **state)
{
	const struct sampler_header *header = sampler_image_header();

	(void)state;
	assert_int_equal(header->magic, SAMPLER_MAGIC);
	assert_int_equal(header->config % SAMPLER_PAGE, 0);
	for (u32 i = 0; i < SAMPLER_SITES; i++)
		assert_int_equal(header->sites[i] / SAMPLER_PAGE, header->config / SAMPLER_PAGE + 1);
	for (u32 i = 0; i < SAMPLER_ENTRIES; i++)
		assert_in_range(header->entries[i], sizeof(*header), header->eh_frame);
	assert_int_equal(header->slots, header->config + 2 * SAMPLER_PAGE);
	assert_int_equal(header->slots, sampler_image_size());
	assert_int_equal(header->filter, header->slots + SAMPLER_SLOTS * sizeof(struct sampler_slot));
	assert_int_equal(header->state, header->filter + SAMPLER_FILTER);
	assert_in_range(header->table, header->state + sizeof(struct sampler_state), header->state + SAMPLER_PAGE);
	assert_int_equal(header->table % (SAMPLER_BUCKET * sizeof(u64)), 0);
}

static void test_image_frames_fit_a_table(void **state)
{
	const struct sampler_header *header = sampler_image_header();
	struct frame_header frames = {0};

	(void)state;
	assert_int_equal(frame_header_add(&frames, (const u8 *)header + header->eh_frame, header->eh_frame_bytes,
					  0x10000 + header->eh_frame),
			 0);
	assert_in_range(frames.count, SAMPLER_SITES + SAMPLER_ENTRIES + 1, 64);
	assert_int_equal(frames.rows[0].function, 0x10000 + header->entries[SAMPLER_ALLOC]);
	assert_int_equal(frames.rows[frames.count - 1].function, 0x10000 + header->sites[SAMPLER_SETTLED]);
	frame_header_release(&frames);
}

static void test_alloc_is_told_with_caller_on_the_stack(void **state)
{
	(void)state;
	call_answering(0x1000, sampled_malloc, SURE, 2, 3);
	assert_int_equal(told_count, 1);
	assert_born(0, 0x1000, SURE, false);
	assert_int_equal(seen_rsp, entry_rsp - 80);
	call_answering(0, sampled_free, 0x1000, 2, 3);
	assert_int_equal(told_count, 1);
	assert_told(0, SAMPLER_FREED, 0x1000);
	assert_int_equal(told[0].rsp, entry_rsp);
	assert_int_equal(seen_rsp, entry_rsp);
	assert_kept(kept_at_site);
	assert_empty();
}

static void test_alloc_failed_is_not_told(void **state)
{
	(void)state;
	call_answering(0, sampled_malloc, SURE, 2, 3);
	assert_int_equal(told_count, 0);
	assert_empty();
}

static void test_alloc_not_sampled_leaves_the_stack(void **state)
{
	(void)state;
	process_config->sample_bytes = 0;
	for (u32 i = 0; i < 1000; i++) {
		call_answering(0x1000, sampled_malloc, 1ULL << 62, 2, 3);
		assert_int_equal(told_count, 0);
		assert_int_equal(seen_rsp, entry_rsp);
	}
}

static void test_alloc_above_half_of_memory_is_not_sampled(void **state)
{
	(void)state;
	call_answering(0x1000, sampled_malloc, 1ULL << 63, 2, 3);
	assert_int_equal(told_count, 1);
	call_answering(0x2000, sampled_malloc, (1ULL << 63) + 1, 2, 3);
	assert_int_equal(told_count, 0);
	call_answering(0x3000, sampled_malloc, UINT64_MAX, 2, 3);
	assert_int_equal(told_count, 0);
	/* The same where the filter's byte sends a realloc of another object into the slow path. */
	call_answering(0, sampled_realloc, 0x1000 + (1ULL << 36), UINT64_MAX, 3);
	assert_int_equal(told_count, 0);
}

static void test_free_of_others_is_not_told(void **state)
{
	(void)state;
	call_answering(0x1000, sampled_malloc, SURE, 2, 3);
	call_answering(0, sampled_free, 0x1000 + (1ULL << 36), 2, 3); /* the same filter byte */
	assert_int_equal(told_count, 0);
	((u8 *)process_filter)[0]++;
	call_answering(0, sampled_free, 0, 2, 3);
	call_answering(0, sampled_resize, 0, 0, 3);
	assert_int_equal(told_count, 0);
	call_answering(0, sampled_realloc, 0, SURE, 3); /* is malloc's */
	assert_int_equal(told_count, 0);
	call_answering(0x2000, sampled_resize, 0, SURE, 3);
	assert_int_equal(told_count, 1);
	assert_born(0, 0x2000, SURE, false);
}

static void test_free_with_pointer_elsewhere_keeps_its_arguments(void **state)
{
	(void)state;
	call_answering(0x1000, sampled_malloc, SURE, 2, 3);
	call_answering(0, sampled_free_second, 77, 0x1000, 3);
	assert_int_equal(told_count, 1);
	assert_told(0, SAMPLER_FREED, 0x1000);
	assert_empty();
}

static void test_posix_memalign_object_is_where_it_was_stored(void **state)
{
	u64 stored = 0;

	(void)state;
	answer_stored = 0x4000;
	call_answering(0, sampled_aligned, (uintptr_t)&stored, 64, SURE);
	assert_int_equal(stored, 0x4000);
	assert_int_equal(told_count, 1);
	assert_born(0, 0x4000, SURE, false);
	call_answering(ENOMEM, sampled_aligned, (uintptr_t)&stored, 64, SURE);
	assert_int_equal(told_count, 0);
}

static void assert_moved(u64 object, bool gone)
{
	assert_told(0, SAMPLER_MOVED, object);
	assert_told(1, SAMPLER_SETTLED, object);
	assert_int_equal(told[1].rsi, gone);
	assert_int_equal(told[0].rsp, told[1].rsp);
	assert_true(told[0].rsp < entry_rsp);
	assert_int_equal(seen_rsp, entry_rsp - 80);
}

static void test_realloc_moves_a_sample(void **state)
{
	(void)state;
	call_answering(0x1000, sampled_malloc, SURE, 2, 3);
	call_answering(0x2000, sampled_realloc, 0x1000, SURE + 1, 3);
	assert_int_equal(told_count, 3);
	assert_moved(0x1000, true);
	assert_born(2, 0x2000, SURE + 1, false);
	call_answering(0x2000, sampled_realloc, 0x2000, SURE + 2, 3); /* in its place */
	assert_int_equal(told_count, 3);
	assert_moved(0x2000, true);
	assert_born(2, 0x2000, SURE + 2, false);
	process_config->sample_bytes = 0;
	call_answering(0x2000, sampled_realloc, 0x2000, SURE + 3, 3);
	assert_int_equal(told_count, 2);
	assert_moved(0x2000, true);
	assert_empty();
}

static void test_realloc_failed_leaves_the_sample(void **state)
{
	(void)state;
	call_answering(0x1000, sampled_malloc, SURE, 2, 3);
	call_answering(0, sampled_realloc, 0x1000, SURE + 1, 3);
	assert_int_equal(told_count, 2);
	assert_moved(0x1000, false);
	call_answering(0, sampled_free, 0x1000, 2, 3);
	assert_int_equal(told_count, 1);
	assert_told(0, SAMPLER_FREED, 0x1000);
	assert_empty();
}

static void test_realloc_of_an_unsampled_object_is_an_allocation(void **state)
{
	(void)state;
	call_answering(0x2000, sampled_realloc, 0x1000, SURE, 3);
	assert_int_equal(told_count, 1);
	assert_born(0, 0x2000, SURE, false);
	call_answering(0x3000, sampled_realloc, 0x2000 + (1ULL << 36), SURE, 3); /* the same filter byte */
	assert_int_equal(told_count, 1);
	assert_born(0, 0x3000, SURE, false);
}

static void test_realloc_to_nothing_frees(void **state)
{
	(void)state;
	call_answering(0x1000, sampled_malloc, SURE, 2, 3);
	call_answering(0, sampled_realloc, 0x1000, 0, 3);
	assert_int_equal(told_count, 1);
	assert_told(0, SAMPLER_FREED, 0x1000);
	call_answering(0x1000, sampled_malloc, SURE, 2, 3);
	call_answering(0, sampled_resize, 0x1000, 0, 3);
	assert_int_equal(told_count, 2);
	assert_moved(0x1000, true);
	assert_empty();
}

static void test_full_bucket_is_told(void **state)
{
	(void)state;
	process_end();
	process_begin(1, 3);
	for (u64 i = 1; i <= 8; i++) {
		call_answering(i << 12, sampled_malloc, SURE, 2, 3);
		assert_born(0, i << 12, SURE, false);
	}
	call_answering(9 << 12, sampled_malloc, SURE, 2, 3);
	assert_born(0, 9 << 12, SURE, true);
	call_answering(0, sampled_free, 9 << 12, 2, 3);
	assert_int_equal(told_count, 0);
	call_answering(0, sampled_free, 5 << 12, 2, 3);
	assert_told(0, SAMPLER_FREED, 5 << 12);
	call_answering(9 << 12, sampled_malloc, SURE, 2, 3);
	assert_born(0, 9 << 12, SURE, false);
}

static void test_call_from_a_range_is_nested(void **state)
{
	s64 caller = call_with_return - (const u8 *)process_config;

	(void)state;
	assert_in_range(caller + (1LL << 31), 0, UINT32_MAX);
	process_config->ranges[0] = (struct sampler_range){.start = (s32)caller + 1, .end = (s32)caller + 2};
	process_config->ranges[1] = (struct sampler_range){.start = (s32)caller - 1, .end = (s32)caller};
	process_config->range_count = 2;
	call_answering(0x1000, sampled_malloc, SURE, 2, 3);
	assert_int_equal(told_count, 1);
	process_config->ranges[1].end++;
	call_answering(0x2000, sampled_malloc, SURE, 2, 3);
	assert_int_equal(told_count, 0);
	call_answering(0x3000, sampled_realloc, 0x1000, SURE, 3);
	assert_int_equal(told_count, 2);
	assert_moved(0x1000, true);
	assert_empty();
}

int main(void)
{
#define in_process(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_image_is_as_its_header_says),
		cmocka_unit_test(test_image_frames_fit_a_table),
		in_process(test_alloc_is_told_with_caller_on_the_stack),
		in_process(test_alloc_failed_is_not_told),
		in_process(test_alloc_not_sampled_leaves_the_stack),
		in_process(test_alloc_above_half_of_memory_is_not_sampled),
		in_process(test_free_of_others_is_not_told),
		in_process(test_free_with_pointer_elsewhere_keeps_its_arguments),
		in_process(test_posix_memalign_object_is_where_it_was_stored),
		in_process(test_realloc_moves_a_sample),
		in_process(test_realloc_failed_leaves_the_sample),
		in_process(test_realloc_of_an_unsampled_object_is_an_allocation),
		in_process(test_realloc_to_nothing_frees),
		in_process(test_full_bucket_is_told),
		in_process(test_call_from_a_range_is_nested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
