/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames as only assembly makes them, a scene each: `target_unwind_assembly SCENE`. Their base is in a register that no
 * compiler takes, or on the stack, or nothing says where it is.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "below.h"

#define ROUNDS 1000

static unsigned long sum;

__attribute__((noinline, used)) void allocate(size_t size)
{
	void *block = malloc(size);

	__asm__ volatile("" : "+r"(block) : : "memory");
	sum += block ? size : 0;
	free(block);
}

/* A frame that uses bx and bp for other things, so that both must be restored from it. */
__attribute__((noinline, used)) void allocate_deeper(size_t size)
{
	__asm__ volatile("xor %%ebx, %%ebx; xor %%ebp, %%ebp" : : : "rbx", "rbp", "memory");
	allocate(size);
	__asm__ volatile("" : : : "memory");
}

#define FUNCTION(name, ...)                                                                                            \
	void name(void);                                                                                               \
	__asm__(".text\n.type " #name ", @function\n" #name ":\n" __VA_ARGS__ ".size " #name ", . - " #name "\n")

/* As the dynamic linker's resolvers: the base in bx, the stack aligned below it. */
FUNCTION(base_in_bx, ".cfi_startproc\n"
		     "push %rbx\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset %rbx, 0\n"
		     "mov %rsp, %rbx\n.cfi_def_cfa_register %rbx\n"
		     "and $-64, %rsp\nsub $128, %rsp\n"
		     "mov $100, %edi\ncall allocate_deeper\n"
		     "mov $200, %edi\ncall allocate\n"
		     "mov %rbx, %rsp\n.cfi_def_cfa_register %rsp\n"
		     "pop %rbx\n.cfi_adjust_cfa_offset -8\n.cfi_restore %rbx\n"
		     "ret\n.cfi_endproc\n");

/* As OpenSSL's: the stack aligned, where it was kept at a place in it. cfa = *(rsp + 40) + 8 */
FUNCTION(base_on_the_stack, ".cfi_startproc\n"
			    "mov %rsp, %rax\n.cfi_def_cfa_register %rax\n"
			    "push %rbp\n.cfi_offset %rbp, -16\n"
			    "sub $64, %rsp\nand $-64, %rsp\nmov %rax, 40(%rsp)\n"
			    ".cfi_escape 0x0f, 5, 0x77, 40, 0x06, 0x23, 8\n"
			    "mov $1, %ebp\n"
			    "mov $300, %edi\ncall allocate_deeper\n"
			    "mov 40(%rsp), %rax\n.cfi_def_cfa %rax, 8\n"
			    "mov -8(%rax), %rbp\n.cfi_restore %rbp\n"
			    "mov %rax, %rsp\n.cfi_def_cfa_register %rsp\n"
			    "ret\n.cfi_endproc\n");

/* Nothing called, so any register will do; but a signal strikes. ud2 is two bytes. */
FUNCTION(base_anywhere, ".cfi_startproc\n"
			"mov %rsp, %r10\n.cfi_def_cfa_register %r10\n"
			"sub $200, %rsp\n"
			"ud2\n"
			"mov %r10, %rax\n.cfi_def_cfa_register %rax\n"
			"ud2\n"
			"mov %rax, %rdi\n.cfi_def_cfa_register %rdi\n"
			"ud2\n"
			"mov %rdi, %rsp\n.cfi_def_cfa_register %rsp\n"
			"ret\n.cfi_endproc\n");

/* Nothing said of the frame, but a frame pointer kept: as the code that compilers make at run time. */
FUNCTION(frame_pointer, "push %rbp\nmov %rsp, %rbp\nsub $32, %rsp\n"
			"mov $400, %edi\ncall allocate\n"
			"leave\nret\n");

/* Nothing said, and bp points at something on the stack that is no frame. */
FUNCTION(no_frame_pointer, "push %rbp\nsub $48, %rsp\nlea 16(%rsp), %rbp\n"
			   "movq $0, 16(%rsp)\nlea allocate(%rip), %rax\nmov %rax, 24(%rsp)\n"
			   "mov $500, %edi\ncall allocate\n"
			   "add $48, %rsp\npop %rbp\nret\n");

static void on_illegal(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info;
	allocate_deeper(600);
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*function)(void);
	} scenes[] = {
		{"bx", base_in_bx},
		{"stack", base_on_the_stack},
		{"anywhere", base_anywhere},
		{"frame-pointer", frame_pointer},
		{"no-frame-pointer", no_frame_pointer},
	};
	struct sigaction action = {.sa_sigaction = on_illegal, .sa_flags = SA_SIGINFO};

	sigaction(SIGILL, &action, NULL);
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		for (unsigned int round = 0; argc == 2 && !strcmp(argv[1], scenes[i].name) && round < ROUNDS; round++)
			below(round % 7, scenes[i].function);
	printf("%lu\n", sum);
	return 7;
}
