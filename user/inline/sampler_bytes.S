/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image of the sampler, which the Makefile makes of blob/. */
	.section .note.GNU-stack, "", @progbits
	.section .rodata
	.globl	sampler_bytes, sampler_bytes_size
	.type	sampler_bytes, @object
	.balign	64
sampler_bytes:
	.incbin	"sampler.bin"
sampler_bytes_end:
	.size	sampler_bytes, . - sampler_bytes

	.type	sampler_bytes_size, @object
	.balign	8
sampler_bytes_size:
	.quad	sampler_bytes_end - sampler_bytes
	.size	sampler_bytes_size, 8
