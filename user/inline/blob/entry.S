/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way into the blob and out of it. All of it is entered by a jump from a fast path, where the caller's call has left the
 * stack, and the fast path may have pushed something. Calls and returns balance, and indirect jumps are `notrack`: shadow stacks and branch
 * tracking hold. They go through the frame, since no register is free.
 */
#include "inline/blob/frame.h"

	.section .note.GNU-stack, "", @progbits
	.text

.macro frame_begin
	sub	$FRAME_FLAGS, %rsp
	.cfi_adjust_cfa_offset FRAME_FLAGS
	mov	%rdi, FRAME_RDI(%rsp)
	mov	%rsi, FRAME_RSI(%rsp)
	mov	%rdx, FRAME_RDX(%rsp)
	mov	%rcx, FRAME_RCX(%rsp)
	mov	%r8, FRAME_R8(%rsp)
	mov	%r9, FRAME_R9(%rsp)
	mov	%rax, FRAME_FUNCTION(%rsp)
	mov	%r10, FRAME_SIZE(%rsp)
	mov	%r11, FRAME_THIRD(%rsp)
	mov	%rsp, %rdi
.endm

/* FRAME_TARGET: the address that a field of struct sampler_function is the distance to. */
.macro frame_target field
	mov	FRAME_FUNCTION(%rsp), %rax
	movslq	\field(%rax), %r11
	add	%rax, %r11
	mov	%r11, FRAME_TARGET(%rsp)
.endm

/* Registers and flags are as the frame has them: 0x7f more makes an overflow of a 1 in al, and sahf has the rest from ah. */
.macro frame_restore
	mov	FRAME_FLAGS(%rsp), %rax
	add	$0x7f, %al
	sahf
	mov	FRAME_RDI(%rsp), %rdi
	mov	FRAME_RSI(%rsp), %rsi
	mov	FRAME_RDX(%rsp), %rdx
	mov	FRAME_RCX(%rsp), %rcx
	mov	FRAME_R8(%rsp), %r8
	mov	FRAME_R9(%rsp), %r9
	mov	FRAME_R10(%rsp), %r10
	mov	FRAME_R11(%rsp), %r11
	mov	FRAME_RAX(%rsp), %rax
.endm

/* The other way round. */
.macro frame_save
	mov	%rdi, FRAME_RDI(%rsp)
	mov	%rsi, FRAME_RSI(%rsp)
	mov	%rdx, FRAME_RDX(%rsp)
	mov	%rcx, FRAME_RCX(%rsp)
	mov	%r8, FRAME_R8(%rsp)
	mov	%r9, FRAME_R9(%rsp)
	mov	%r10, FRAME_R10(%rsp)
	mov	%r11, FRAME_R11(%rsp)
	mov	%rax, FRAME_RAX(%rsp)
	lahf
	seto	%al
	mov	%rax, FRAME_FLAGS(%rsp)
.endm

/* lea, as the flags are the caller's. */
.macro frame_end
	lea	FRAME_BYTES(%rsp), %rsp
	.cfi_adjust_cfa_offset -FRAME_BYTES
.endm

.macro entry name, decides
	.globl	\name
	.type	\name, @function
	.globl	\name\()_kept
	.p2align 4
\name:
	.cfi_startproc
	sub	$FRAME_PUSHED, %rsp /* anything is as good */
	.cfi_adjust_cfa_offset FRAME_PUSHED
\name\()_kept:
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
pass:
	frame_target FUNCTION_ORIGINAL
	frame_restore
	.cfi_remember_state
	frame_end
	notrack jmp *FRAME_TARGET - FRAME_BYTES(%rsp)
	.cfi_restore_state

freed:
	frame_target FUNCTION_ORIGINAL
	frame_restore
	mov	FRAME_SIZE(%rsp), %rdi
	.cfi_remember_state
	frame_end
	jmp	site_freed
	.cfi_restore_state

called:
	cmp	$TURN_NOTHROW, %eax
	je	called_nothrow
	ja	moved
	frame_target FUNCTION_ORIGINAL
	frame_restore
	notrack call *FRAME_TARGET(%rsp)
	jmp	sampled

	/* The frame still has the arguments: the original fails in its own way, with its caller above it. */
called_nothrow:
	frame_target FUNCTION_NOTHROW
	frame_restore
	notrack call *FRAME_TARGET(%rsp)
	test	%rax, %rax
	jz	pass

sampled:
	frame_save
	mov	%rsp, %rdi
	call	slow_sampled
	jmp	born

moved:
	mov	FRAME_THIRD(%rsp), %rdi
	call	site_moved
	frame_target FUNCTION_ORIGINAL
	frame_restore
	notrack call *FRAME_TARGET(%rsp)
	frame_save
	mov	%rsp, %rdi
	call	slow_moved
	mov	FRAME_THIRD(%rsp), %rdi
	mov	%rax, %rsi
	call	site_settled

born:
	cmpq	$0, FRAME_OBJECT(%rsp)
	je	none
	frame_restore
	mov	FRAME_OBJECT(%rsp), %rdi
	mov	FRAME_SIZE(%rsp), %rsi
	mov	FRAME_FUNCTION(%rsp), %rdx
	movslq	FUNCTION_FUNCTION(%rdx), %rcx
	lea	(%rdx,%rcx), %rdx
	mov	FRAME_UNTOLD(%rsp), %rcx
	.cfi_remember_state
	frame_end
	jmp	site_born
	.cfi_restore_state

none:
	frame_restore
	frame_end
	ret
	.cfi_endproc
	.size	turn, . - turn
