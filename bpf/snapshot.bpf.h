/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The snapshot of the stack that a walk reads, in raw.bytes from walk.window on, taken a page at a time as the walk gets there. */
#include "map.bpf.h"

#define UNWIND_PAGE_BYTES 4096
#define UNWIND_PAGES_MAX  (RAW_STACK_BYTES / UNWIND_PAGE_BYTES + 1) /* of a snapshot, whatever its start */

/* Copy the next page of the stack, or what is left of one, into the snapshot. False: there is no more. */
static __always_inline bool unwind_snapshot_more(struct scratch *scratch)
{
	u32 size = scratch->raw.size, more;

	if (scratch->whole || size >= RAW_STACK_BYTES)
		return false;
	more = UNWIND_PAGE_BYTES - ((scratch->walk.window + size) & (UNWIND_PAGE_BYTES - 1));
	if (more > RAW_STACK_BYTES - size)
		more = RAW_STACK_BYTES - size;
	/* The compiler knows this to be true and would leave it out; the verifier does not. */
	asm volatile("" : "+r"(more));
	if (more > UNWIND_PAGE_BYTES)
		return false;
	if (bpf_probe_read_user(scratch->raw.bytes + size, more, (void *)(scratch->walk.window + size))) {
		scratch->whole = 1;
		return false;
	}
	scratch->raw.size = size + more;
	return true;
}

static __always_inline void unwind_snapshot_from(struct scratch *scratch, u64 sp)
{
	scratch->walk.window = sp;
	scratch->raw.size = 0;
	scratch->whole = 0;
}

/*
 * Read a word of the stack into walk.word; 0 on success. Where the walk has left the snapshot behind, another one begins with the frame
 * that it has come to.
 */
__weak __noinline int unwind_load(struct scratch *scratch, u64 addr)
{
	const u64 *words;
	u64 offset;

	if (!scratch)
		return -1;
	words = (const void *)scratch->raw.bytes;
	offset = addr - scratch->walk.window;
	if (offset >= RAW_STACK_BYTES && addr - scratch->walk.registers.sp < RAW_STACK_BYTES) {
		unwind_snapshot_from(scratch, scratch->walk.registers.sp);
		offset = addr - scratch->walk.window;
	}
	for (u32 i = 0; i < UNWIND_PAGES_MAX && offset < RAW_STACK_BYTES && offset + sizeof(u64) > scratch->raw.size;
	     i++)
		if (!unwind_snapshot_more(scratch))
			break;
	if (offset < RAW_STACK_BYTES && offset + sizeof(u64) <= scratch->raw.size && !(offset % sizeof(u64))) {
		/* As above: the bounds must be seen to hold where they are used. */
		asm volatile("" : "+r"(offset));
		scratch->walk.word = words[offset / sizeof(u64) % (RAW_STACK_BYTES / sizeof(u64))];
		return 0;
	}
	return bpf_probe_read_user(&scratch->walk.word, sizeof(u64), (void *)addr) ? -1 : 0;
}

/* Most words are in the snapshot already, and are had without a call. */
static __always_inline int unwind_read(void *arg, u64 addr, u64 *ret_value)
{
	struct scratch *scratch = arg;
	const u64 *words = (const void *)scratch->raw.bytes;
	u64 offset = addr - scratch->walk.window;

	if (offset < RAW_STACK_BYTES && offset + sizeof(u64) <= scratch->raw.size && !(offset % sizeof(u64))) {
		asm volatile("" : "+r"(offset));
		*ret_value = words[offset / sizeof(u64) % (RAW_STACK_BYTES / sizeof(u64))];
		return 0;
	}
	if (unwind_load(scratch, addr))
		return -1;
	*ret_value = scratch->walk.word;
	return 0;
}
