/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * How much memory heaptap takes: the three largest BPF maps, whose memory is taken when they are made, and what it keeps of its own at most.
 * All of it counts for the control group that heaptap runs in: in a small one it begins smaller, so that neither heaptap nor what runs beside
 * it is killed for it.
 */
#include "include/types.h"

struct footprint {
	u32 ring_bytes;	 /* events on their way to user space; full: lost_ring, stack_lost_ring */
	u32 live_rows;	 /* objects followed at a time; full: refused counts the others */
	u32 unwind_rows; /* words of unwind tables; full: stacks are sent raw, and unwound in user space */
	u32 raw_bytes;	 /* such stacks that wait for their tables; beyond: stack_no_table */
	u32 sites;	 /* sites and stacks in heaptap's own memory; beyond: stack_no_room */
	u64 other_bytes; /* all other maps, and what each processor has */
};

/*
 * `dense`: samples come thick. `room_bytes`: what the group has left, UINT64_MAX without a limit. Half of what loading leaves of it is for
 * others; smaller than the least the maps are not made.
 */
struct footprint footprint_choose(bool dense, u32 cpus, u64 room_bytes);
struct footprint footprint_least(u32 cpus); /* --footprint small */

u64 footprint_maps(const struct footprint *footprint); /* bytes that all maps take when they are made */
u64 footprint_needed(
	const struct footprint *footprint); /* the same, and what loading the programs takes for a moment */
