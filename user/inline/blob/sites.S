/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where samples trap (include/sampler.h). On a page of their own, which a breakpoint makes private to the process. */
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

site site_born
	ret
site_end site_born

/* r10 is the argument that rdi had, r11 the original. */
site site_freed
	mov	%r10, %rdi
	notrack jmp *%r11
site_end site_freed

site site_moved
	ret
site_end site_moved

site site_settled
	ret
site_end site_settled
