/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Where in a function's prologue a breakpoint is cheap. The kernel emulates few instructions (x86-64, 6.1 on: push reg,
 * one-byte nop, short and near jmp/call/jcc without a 66 prefix); any other one is single-stepped out of line, 14
 * times dearer in a VM. A site is the first emulated instruction before which nothing writes the stack pointer,
 * transfers control (but for jcc on a NULL test of the pointer, in free) or loses an argument; plain moves of an
 * argument are followed.
 *
 * Two instructions are no place for a probe although the kernel takes it. Kernels from 6.18 on turn one on the 5-byte nop
 * 0f 1f 44 00 00 into a call, of which children that a process forks die (mended in July 2026). And until then they emulate
 * `call rel32` without its part on the shadow stack, of which the thread dies when the callee returns.
 */
#include <stddef.h>

#include "include/config.h"

#define SITE_ARGS_MAX 4

struct site {
	u64 offset;	       /* from the first byte of the function */
	u8 arg[SITE_ARGS_MAX]; /* enum arg_register that holds argument 1, 2, ... there */
	bool emulated;	       /* false: single-stepped */
	bool on_call;	       /* a relative call, which is no site where threads have shadow stacks */
	bool skips_null;       /* past the NULL test: free(NULL) does not trap */
};

/*
 * Decode the prologue `code` (`size` bytes, the function's own length at most) of a function of `kind`. `arguments` are
 * those that must not be lost, one bit each, the lowest the first; in free the lowest of them is the pointer. With more of
 * the function given it is surer that no jump leads back to the site. `shadow_stack`: threads may have one. Yields the
 * symbol itself if no better place is provable, or the first instruction behind it that can be probed. 0, or -ENODATA when
 * size is 0, -EOPNOTSUPP when there is none (besides the two above, the kernel refuses a lock or segment prefix and a branch
 * with a 66 prefix), -ENOMEM.
 */
int site_find(const u8 *code, size_t size, enum call_kind kind, unsigned int arguments, bool shadow_stack,
	      struct site *ret_site);
