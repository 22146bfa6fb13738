/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way into the blob and out of it. All of it is entered by a jump from a fast path, where the caller's call has left the
 * stack. Calls and returns balance, and jumps to addresses in registers are `notrack`: shadow stacks and branch tracking hold.
 */
#include "inline/blob/frame.h"

	.section .note.GNU-stack, "", @progbits
	.text

.macro frame_begin
	sub	$FRAME_BYTES, %rsp
	.cfi_adjust_cfa_offset FRAME_BYTES
	mov	%rdi, 0(%rsp)
	mov	%rsi, 8(%rsp)
	mov	%rdx, 16(%rsp)
	mov	%rcx, 24(%rsp)
	mov	%r8, 32(%rsp)
	mov	%r9, 40(%rsp)
	mov	%rax, FRAME_FUNCTION(%rsp)
	mov	%r10, FRAME_SIZE(%rsp)
	mov	%r11, FRAME_THIRD(%rsp)
	mov	%rsp, %rdi
.endm

/* The arguments are as at the entry again, and r11 is the address of the original. */
.macro frame_restore
	mov	0(%rsp), %rdi
	mov	8(%rsp), %rsi
	mov	16(%rsp), %rdx
	mov	24(%rsp), %rcx
	mov	32(%rsp), %r8
	mov	40(%rsp), %r9
	mov	FRAME_FUNCTION(%rsp), %rax
	movslq	(%rax), %r11 /* struct sampler_function: original */
	add	%rax, %r11
.endm

.macro frame_end
	add	$FRAME_BYTES, %rsp
	.cfi_adjust_cfa_offset -FRAME_BYTES
.endm

.macro entry name, decides
	.globl	\name
	.type	\name, @function
	.p2align 4
\name:
	.cfi_startproc
	frame_begin
	call	\decides
	jmp	turn
	.cfi_endproc
	.size	\name, . - \name
.endm

entry sampler_alloc, slow_alloc
entry sampler_free, slow_free
entry sampler_moving, slow_moving

	.type	turn, @function
	.p2align 4
turn:
	.cfi_startproc
	.cfi_def_cfa_offset FRAME_BYTES + 8
	cmp	$TURN_FREED, %eax
	je	freed
	ja	called
	frame_restore
	.cfi_remember_state
	frame_end
	notrack jmp *%r11
	.cfi_restore_state

freed:
	frame_restore
	mov	%rdi, %r10 /* for the site to put back */
	mov	FRAME_SIZE(%rsp), %rdi
	.cfi_remember_state
	frame_end
	jmp	site_freed
	.cfi_restore_state

called:
	cmp	$TURN_MOVED, %eax
	je	moved
	frame_restore
	notrack call *%r11
	mov	%rsp, %rdi
	mov	%rax, %rsi
	call	slow_sampled
	jmp	born

moved:
	mov	FRAME_THIRD(%rsp), %rdi
	call	site_moved
	frame_restore
	notrack call *%r11
	mov	%rsp, %rdi
	mov	%rax, %rsi
	call	slow_moved
	mov	FRAME_THIRD(%rsp), %rdi
	mov	FRAME_GONE(%rsp), %rsi
	call	site_settled

	/* rax is what the original has returned. */
born:
	mov	FRAME_BORN(%rsp), %rdi
	mov	FRAME_BORN_SIZE(%rsp), %rsi
	mov	FRAME_BORN_FUNCTION(%rsp), %rdx
	mov	FRAME_BORN_UNTOLD(%rsp), %rcx
	frame_end
	test	%rdi, %rdi
	jnz	site_born
	ret
	.cfi_endproc
	.size	turn, . - turn
