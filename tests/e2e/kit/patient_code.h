/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What of target_patient is written in assembly; to be included once. */

/* 3x + 7, with a beginning of several short instructions, and padding behind it. */
__asm__(".text\n"
	".globl patient_function\n"
	".type patient_function, @function\n"
	"patient_function:\n"
	"	push %rbp\n"
	"	push %rbx\n"
	"	mov %rdi, %rbx\n"
	"	lea 7(%rbx,%rbx,2), %rax\n"
	"	mov %rax, %rbp\n"
	"	mov %rbp, %rax\n"
	"	pop %rbx\n"
	"	pop %rbp\n"
	"	ret\n"
	".size patient_function, . - patient_function\n"
	"	.byte 0x0f, 0x1f, 0x44, 0, 0\n");
unsigned long patient_function(unsigned long x);
extern char __ehdr_start[];

/* Fills registers and red zone, waits, and counts what has changed in rax. */
__asm__(".text\n"
	"state_differences:\n"
	"	push %rbx\n	push %rbp\n	push %r12\n	push %r13\n	push %r14\n	push %r15\n"
	"	vmovdqu (%rdi), %ymm0\n	vmovdqu 32(%rdi), %ymm7\n	vmovdqu 64(%rdi), %ymm15\n"
	"	movq $0x1122334455667788, %rax\n"
	"	mov %rax, %rbx\n	lea 1(%rax), %rcx\n	lea 2(%rax), %rdx\n	lea 3(%rax), %rbp\n"
	"	lea 4(%rax), %r8\n	lea 5(%rax), %r9\n	lea 6(%rax), %r10\n	lea 7(%rax), %r11\n"
	"	lea 8(%rax), %r12\n	lea 9(%rax), %r13\n	lea 10(%rax), %r14\n	lea 11(%rax), %r15\n"
	"	mov %rax, -8(%rsp)\n	mov %rcx, -64(%rsp)\n	mov %rdx, -128(%rsp)\n"
	"1:	dec %rsi\n"
	"	jnz 1b\n"
	"	movq $0x1122334455667788, %rsi\n"
	"	cmp %rax, -8(%rsp)\n	jne 2f\n	cmp %rcx, -64(%rsp)\n	jne 2f\n	cmp %rdx, -128(%rsp)\n	jne 2f\n"
	"	sub %rsi, %rax\n	jne 2f\n"
	"	sub %rsi, %rbx\n	jne 2f\n"
	"	sub %rsi, %rcx\n	cmp $1, %rcx\n	jne 2f\n"
	"	sub %rsi, %rdx\n	cmp $2, %rdx\n	jne 2f\n"
	"	sub %rsi, %rbp\n	cmp $3, %rbp\n	jne 2f\n"
	"	sub %rsi, %r8\n	cmp $4, %r8\n	jne 2f\n"
	"	sub %rsi, %r9\n	cmp $5, %r9\n	jne 2f\n"
	"	sub %rsi, %r10\n	cmp $6, %r10\n	jne 2f\n"
	"	sub %rsi, %r11\n	cmp $7, %r11\n	jne 2f\n"
	"	sub %rsi, %r12\n	cmp $8, %r12\n	jne 2f\n"
	"	sub %rsi, %r13\n	cmp $9, %r13\n	jne 2f\n"
	"	sub %rsi, %r14\n	cmp $10, %r14\n	jne 2f\n"
	"	sub %rsi, %r15\n	cmp $11, %r15\n	jne 2f\n"
	"	vpxor (%rdi), %ymm0, %ymm0\n	vpxor 32(%rdi), %ymm7, %ymm7\n	vpxor 64(%rdi), %ymm15, %ymm15\n"
	"	vpor %ymm0, %ymm7, %ymm7\n	vpor %ymm7, %ymm15, %ymm15\n"
	"	xor %eax, %eax\n	vptest %ymm15, %ymm15\n	setnz %al\n	jmp 3f\n"
	"2:	mov $1, %eax\n"
	"3:	vzeroupper\n"
	"	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbp\n	pop %rbx\n"
	"	ret\n");
unsigned long state_differences(const unsigned char vectors[96], unsigned long turns);
