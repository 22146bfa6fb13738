/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where samples trap (include/sampler.h). On a page of their own, which a breakpoint makes private to the process. */
#include "inline/blob/frame.h"

	.section .note.GNU-stack, "", @progbits
	.section .sites, "ax", @progbits

.macro site name
	.globl	\name
	.type	\name, @function
	.p2align 4
\name:
	.cfi_startproc
	nop
.endm

.macro site_end name
	.cfi_endproc
	.size	\name, . - \name
.endm

/* The frame lies below rsp, in the red zone. */
site site_born
	mov	FRAME_RDI - FRAME_BYTES(%rsp), %rdi
	mov	FRAME_RSI - FRAME_BYTES(%rsp), %rsi
	mov	FRAME_RDX - FRAME_BYTES(%rsp), %rdx
	mov	FRAME_RCX - FRAME_BYTES(%rsp), %rcx
	ret
site_end site_born

site site_freed
	mov	FRAME_RDI - FRAME_BYTES(%rsp), %rdi
	notrack jmp *FRAME_TARGET - FRAME_BYTES(%rsp)
site_end site_freed

site site_moved
	ret
site_end site_moved

site site_settled
	ret
site_end site_settled
