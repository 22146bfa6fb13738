/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page without its data, which the Makefile makes of page/. */
	.section .note.GNU-stack, "", @progbits
	.section .rodata
	.globl	page_template
	.type	page_template, @object
page_template:
	.incbin	"page.html"
	.byte	0
	.size	page_template, . - page_template
