/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * How large the three largest BPF maps are. Their memory is taken when they are made, and counts for the control group that
 * heaptap runs in: in a small one they begin smaller, so that neither heaptap nor what runs beside it is killed for them.
 */
#include "include/types.h"

struct map_sizes {
	u32 ring_bytes;	 /* events on their way to user space; full: lost_ring, stack_lost_ring */
	u32 live_rows;	 /* objects followed at a time; full: refused counts the others */
	u32 unwind_rows; /* words of unwind tables; full: stacks are sent raw, and unwound in user space */
	u64 other_bytes; /* all other maps, and what each processor has */
};

/*
 * `dense`: samples come thick. `room_bytes`: what the group has left. Half of what loading leaves of it is for others; smaller
 * than the least the maps are not made.
 */
struct map_sizes map_sizes_choose(bool dense, u32 cpus, u64 room_bytes);

u64 map_sizes_bytes(const struct map_sizes *sizes); /* that all maps take when they are made */
u64 map_sizes_needed(
	const struct map_sizes *sizes); /* the same, and what is needed to load the programs, for a moment */
