/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/map_sizes.h"

#include "include/config.h"

/* Figures of bench/memory.sh. */
#define MIB	      (1U << 20)
#define OTHERS_BYTES  (13 * MIB)   /* all other maps, for one process */
#define PER_CPU_BYTES (300U << 10) /* the side-band's buffer, and counters */
#define LOAD_BYTES    (30 * MIB)   /* while it loads: the kernel's verifier, and heaptap itself */
#define ROW_BYTES     16	   /* a bucket of the live map; objects take theirs as they come */
#define WORD_BYTES    4
#define RING_LEAST    (1 * MIB)
#define LIVE_LEAST    (64U << 10)
#define UNWIND_LEAST  (1U << 19)

u64 map_sizes_bytes(const struct map_sizes *sizes)
{
	return sizes->ring_bytes + (u64)ROW_BYTES * sizes->live_rows + (u64)WORD_BYTES * sizes->unwind_rows +
	       sizes->other_bytes;
}

u64 map_sizes_needed(const struct map_sizes *sizes)
{
	return map_sizes_bytes(sizes) + LOAD_BYTES;
}

/* The ring and the live map first: a stack without a table needs the ring. False: all are as small as they may be. */
static bool halve(struct map_sizes *sizes)
{
	bool halved = sizes->ring_bytes > RING_LEAST || sizes->live_rows > LIVE_LEAST;

	if (sizes->ring_bytes > RING_LEAST)
		sizes->ring_bytes /= 2;
	if (sizes->live_rows > LIVE_LEAST)
		sizes->live_rows /= 2;
	if (halved || sizes->unwind_rows <= UNWIND_LEAST)
		return halved;
	sizes->unwind_rows /= 2;
	return true;
}

struct map_sizes map_sizes_choose(bool dense, u32 cpus, u64 room_bytes)
{
	struct map_sizes sizes = {
		.ring_bytes = dense ? 64 * MIB : 16 * MIB,
		.live_rows = dense ? 1U << 22 : 1U << 20,
		.unwind_rows = UNWIND_ROWS_MAX,
		.other_bytes = OTHERS_BYTES + (u64)PER_CPU_BYTES * cpus,
	};

	room_bytes -= room_bytes < LOAD_BYTES ? room_bytes : LOAD_BYTES;
	while (map_sizes_bytes(&sizes) > room_bytes / 2 && halve(&sizes))
		;
	return sizes;
}
