/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Where in a function's prologue a breakpoint is cheap. The kernel emulates few instructions (x86-64, 6.1 on: push reg,
 * one-byte nop, short and near jmp/call/jcc without a 66 prefix); any other one is single-stepped out of line, 14
 * times dearer in a VM. A site is the first emulated instruction before which nothing writes the stack pointer,
 * transfers control (but for jcc on a NULL test of the pointer, in free) or loses an argument; plain moves of an
 * argument are followed.
 */
#include <stddef.h>

#include "include/config.h"

#define SITE_ARGS_MAX 4

struct site {
	u64 offset;	       /* from the first byte of the function */
	u8 arg[SITE_ARGS_MAX]; /* enum arg_register that holds argument 1, 2, ... there */
	bool emulated;	       /* false: the symbol itself, single-stepped */
	bool skips_null;       /* past the NULL test: free(NULL) does not trap */
};

/*
 * Decode the prologue `code` (`size` bytes, the function's own length at most) of a function of `kind`. `arguments` are
 * those that must not be lost, one bit each, the lowest the first; in free the lowest of them is the pointer. With more of
 * the function given it is surer that no jump leads back to the site. Yields the symbol itself if no better place is
 * provable. 0, or -ENODATA when size is 0, -EOPNOTSUPP when the symbol is the only place left and the kernel refuses probes
 * on such an instruction (lock or segment prefix, branch with a 66 prefix), -ENOMEM.
 */
int site_find(const u8 *code, size_t size, enum call_kind kind, unsigned int arguments, struct site *ret_site);
