/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Where a function of --alloc returns. It gets no return leg of the kernel's, which ends the program if the function throws,
 * and if it switches stacks: the kernel puts a trampoline where the return address was, and expects calls to
 * return in the order of their stack pointers. A probe at each of its own ret instructions changes nothing on the stack. The
 * kernel single-steps it, which is dearer.
 */
#include "include/types.h"

#define RETURN_SITES_MAX 32

struct elf;

struct return_sites {
	u64 offset[RETURN_SITES_MAX]; /* file offsets */
	unsigned int count;
	const char *unseen; /* why not all of its returns can be found; NULL: these are all */
};

/*
 * Find the returns of the function at file offset `offset`: its own, those of its parts that the compiler put elsewhere
 * (.cold; in a stripped file unwind information tells them), and of functions of the same file in which it ends by a jump; they
 * too return with the stack as it was at the entry. 0, or negative errno: an error of elf, -ENOMEM.
 */
int return_site_find(struct elf *elf, u64 offset, u64 size, struct return_sites *ret_sites);
