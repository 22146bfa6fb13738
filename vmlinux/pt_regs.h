/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef PT_REGS_H
#define PT_REGS_H
/* User ABI: the layout is fixed, so no relocation. */
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx;
	unsigned long r11, r10, r9, r8;
	unsigned long ax, cx, dx, si, di;
	unsigned long orig_ax;
	unsigned long ip, cs, flags, sp, ss;
};

#endif
