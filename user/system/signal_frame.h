/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The frame that the kernel puts on a stack for a signal handler, and from which rt_sigreturn gives a thread all its registers back. With
 * such a frame a thread finds its way back to what it was doing by itself.
 */
#include <stddef.h>
#include <sys/user.h>

#include "include/types.h"

#define SIGNAL_FRAME_XSTATE_MAX 8192
#define SIGNAL_FRAME_MAX	(SIGNAL_FRAME_XSTATE_MAX + 1024)

struct signal_frame {
	u8 bytes[SIGNAL_FRAME_MAX];
	u32 size;
	u64 address; /* in the thread's memory; its first word is where the code that calls rt_sigreturn is returned to from */
};

/*
 * For a thread with these registers, signal mask and vector state (`xstate`, as PTRACE_GETREGSET's NT_X86_XSTATE has it), below `top`
 * on its stack. A system call that was interrupted is begun again. 0; -EOPNOTSUPP: the vector state has parts (those of AMX)
 * that do not fit.
 */
int signal_frame_make(const struct user_regs_struct *registers, u64 mask, const u8 *xstate, size_t xstate_size, u64 top,
		      u64 restorer, struct signal_frame *ret_frame);
