/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Before Linux 6.7 an anonymous mapping that lies just above a thread's stack becomes one mapping with it: a large block of malloc's, above
 * all. Where the stack ends is known for stacks of the usual size, which is the process's limit when it begins (pthread_create(3)).
 */
#include "system/smaps.h"

/* How many bytes of these pages are resident, and swapped out. False: that is not known. */
typedef bool stack_split_count(void *arg, u64 start, u64 end, u64 *ret_resident, u64 *ret_swapped);

/*
 * Make two areas of each that has a guard below, the stack pointer of a thread in the upper half of a stack of `stack_bytes`, and goes on
 * above that; their sizes add up to those it had. `pointers` ascend. 0 or -ENOMEM.
 */
int stack_split(struct smaps *smaps, const u64 *pointers, u32 pointer_count, u64 stack_bytes, stack_split_count *count,
		void *arg);
