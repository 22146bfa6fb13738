/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A process with the sampler in it, made by hand: its image and data are mapped, five allocation functions have fast paths as a
 * file would get them, and each site has a breakpoint, as from the kernel. So its SIGTRAP handler sees what the BPF program sees.
 */
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "include/config.h"
#include "inline/sampler_image.h"

/* What the jumps of the fast paths go to; the fast paths are elsewhere than the image, so they find it through memory. */
void *process_slots __attribute__((visibility("hidden")));
u32 process_slot_mask __attribute__((visibility("hidden"))) = UINT32_MAX; /* 0: all threads share one */
void *process_filter __attribute__((visibility("hidden")));
void *process_entries[SAMPLER_ENTRIES] __attribute__((visibility("hidden")));

static u8 *process_image;
static struct sampler_config *process_config;

static inline const struct sampler_header *process_header(void)
{
	return (const struct sampler_header *)process_image;
}

static inline size_t process_bytes(u32 table_bits)
{
	return sampler_image_header()->table + (sizeof(u64) << table_bits);
}

static inline u64 *process_table(void)
{
	return (u64 *)(process_image + process_header()->table);
}

/* Within reach of a range: near this program. The image is as in the file, but for the breakpoints. */
static inline void process_begin(u64 sample_bytes, u32 table_bits)
{
	const struct sampler_header *header = sampler_image_header();
	uintptr_t near = ((uintptr_t)process_begin + (256u << 20)) & -(uintptr_t)SAMPLER_PAGE;
	u8 *image = mmap((void *)near, process_bytes(table_bits), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	assert_ptr_not_equal(image, MAP_FAILED);
	memcpy(image, header, sampler_image_size());
	for (u32 i = 0; i < SAMPLER_SITES; i++) {
		assert_int_equal(image[header->sites[i]], 0x90);
		image[header->sites[i]] = 0xcc;
	}
	process_image = image;
	process_config = (struct sampler_config *)(image + header->config);
	*process_config = (struct sampler_config){
		.sample_bytes = sample_bytes,
		.session = 0x1234567,
		.table_bits = table_bits,
	};
	assert_int_equal(mprotect(image, header->config, PROT_READ | PROT_EXEC), 0);
	assert_int_equal(mprotect(image + header->config + SAMPLER_PAGE, SAMPLER_PAGE, PROT_READ | PROT_EXEC), 0);
	process_slots = image + header->slots;
	process_filter = image + header->filter;
	for (u32 i = 0; i < SAMPLER_ENTRIES; i++)
		process_entries[i] = image + header->entries[i];
}

static inline void process_end(void)
{
	munmap(process_image, process_bytes(process_config->table_bits));
}

/* The site that the breakpoint of `context` is at; SAMPLER_SITES: none. */
static inline u32 process_site(const ucontext_t *context)
{
	u64 offset = (u64)context->uc_mcontext.gregs[REG_RIP] - 1 - (uintptr_t)process_image;
	u32 site = 0;

	while (site < SAMPLER_SITES && process_header()->sites[site] != offset)
		site++;
	return site;
}

static inline void process_on_trap(void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER};

	assert_int_equal(sigaction(SIGTRAP, &action, NULL), 0);
}

/* What follows a function's name: struct sampler_function. `nothrow`: what is called in its place, as a distance. */
#define PROCESS_ROW_NOTHROW(name, call_kind, pointer_at, nothrow)                                                      \
	".pushsection .rodata\n.balign 8\n" #name "_row: .long original_" #name " - " #name "_row, 0\n"                \
	".byte " #call_kind ", " #pointer_at "\n.zero 2\n.long " nothrow "\n.popsection\n"
#define PROCESS_ROW(name, call_kind, pointer_at) PROCESS_ROW_NOTHROW(name, call_kind, pointer_at, "0")

#define PROCESS_NAME(name)                                                                                             \
	".text\n.globl sampled_" #name "\n.type sampled_" #name ", @function\nsampled_" #name ":\n.cfi_startproc\n"

#define PROCESS_SLOW(name, entry)                                                                                      \
	"lea " #name "_row(%rip), %rax\njmp *process_entries + 8 * " #entry "(%rip)\n.cfi_endproc\n"

#define PROCESS_SLOT                                                                                                      \
	"mov %fs:0, %eax\nimul $0x9e3779b1, %eax, %eax\nshr $20, %eax\nshl $6, %eax\nand process_slot_mask(%rip), %eax\n" \
	"mov process_slots(%rip), %r11\nadd %rax, %r11\n"

_Static_assert(SAMPLER_FILTER_FACTOR == 65 && SAMPLER_FILTER_BITS == 20, "as it is written below");
#define PROCESS_FILTER                                                                                                 \
	"imul $65, %r10d, %eax\nshr $12, %eax\n"                                                                       \
	"mov process_filter(%rip), %r11\ncmpb $0, (%r11, %rax)\n"

/* r10: the size. */
#define PROCESS_COUNT(name)                                                                                            \
	"lea -1(%r10), %rax\ntest %rax, %rax\njs 1f\n" PROCESS_SLOT "sub %r10, (%r11)\njs 2f\njmp original_" #name     \
	"\n"                                                                                                           \
	"1: test %r10, %r10\njnz original_" #name "\n" PROCESS_SLOT "subq $1, (%r11)\njs 2f\njmp original_" #name      \
	"\n2:\n"

#define PROCESS_ALLOC(name, kind, pointer, size)                                                                       \
	__asm__(PROCESS_ROW(name, kind, pointer) PROCESS_NAME(name) "mov " size ", %r10\n" PROCESS_COUNT(name)         \
			PROCESS_SLOW(name, 0))

#define PROCESS_NEW(name, nothrow)                                                                                     \
	__asm__(PROCESS_ROW_NOTHROW(name, 12, 0, "original_" #nothrow " - " #name "_row")                              \
			PROCESS_NAME(name) "mov %rdi, %r10\n" PROCESS_COUNT(name) PROCESS_SLOW(name, 0))

/* Always the slow path: the size is known when the string is made. */
#define PROCESS_DUPLICATE(name) __asm__(PROCESS_ROW(name, 10, 0) PROCESS_NAME(name) PROCESS_SLOW(name, 0))

#define PROCESS_FREE(name, pointer, object)                                                                            \
	__asm__(PROCESS_ROW(name, 6, pointer) PROCESS_NAME(name) "mov " object ", %r10\n" PROCESS_FILTER               \
								 "jne 1f\njmp original_" #name                         \
								 "\n1:\n" PROCESS_SLOW(name, 1))

#define PROCESS_REALLOC(name, kind)                                                                                    \
	__asm__(PROCESS_ROW(name, kind, 1) PROCESS_NAME(                                                               \
		name) "mov %rdi, %r10\n" PROCESS_FILTER "jne 3f\n"                                                     \
		      "mov %rsi, %r10\n" PROCESS_COUNT(name) "lea " #name                                              \
							     "_row(%rip), %rax\njmp *process_entries(%rip)\n"          \
							     "3: mov %rsi, %r10\n" PROCESS_SLOW(name, 2))
