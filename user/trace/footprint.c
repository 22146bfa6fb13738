/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/footprint.h"

#include "include/config.h"

/* Figures of bench/memory.sh and bench/limit.sh. */
#define MIB	      (1U << 20)
#define OTHERS_BYTES  (13 * MIB)   /* all other maps, for one process */
#define PER_CPU_BYTES (300U << 10) /* the side-band's buffer, and counters */
#define LOAD_BYTES    (30 * MIB)   /* while it loads: the kernel's verifier, and heaptap itself */
#define ROW_BYTES     16	   /* a bucket of the live map; objects take theirs as they come */
#define WORD_BYTES    4
#define SITE_BYTES    720 /* with a stack of 25 frames */
#define RING_LEAST    (1 * MIB)
#define LIVE_LEAST    (64U << 10)
#define UNWIND_LEAST  (1U << 19)
#define RAW_LEAST     (2 * MIB)
#define RAW_MOST      (16 * MIB)
#define SITES_LEAST   (16U << 10)
#define SITES_MOST    (1U << 20) /* 715 MiB of them */

u64 footprint_maps(const struct footprint *footprint)
{
	return footprint->ring_bytes + (u64)ROW_BYTES * footprint->live_rows +
	       (u64)WORD_BYTES * footprint->unwind_rows + footprint->other_bytes;
}

u64 footprint_needed(const struct footprint *footprint)
{
	return footprint_maps(footprint) + LOAD_BYTES;
}

/* The ring and the live map first: a stack without a table needs the ring. False: all are as small as they may be. */
static bool halve(struct footprint *footprint)
{
	bool halved = footprint->ring_bytes > RING_LEAST || footprint->live_rows > LIVE_LEAST;

	if (footprint->ring_bytes > RING_LEAST)
		footprint->ring_bytes /= 2;
	if (footprint->live_rows > LIVE_LEAST)
		footprint->live_rows /= 2;
	if (halved || footprint->unwind_rows <= UNWIND_LEAST)
		return halved;
	footprint->unwind_rows /= 2;
	return true;
}

static u32 clamp(u64 wanted, u32 least, u32 most)
{
	return wanted < least ? least : wanted > most ? most : (u32)wanted;
}

struct footprint footprint_choose(bool dense, u32 cpus, u64 room_bytes)
{
	struct footprint footprint = {
		.ring_bytes = dense ? 64 * MIB : 16 * MIB,
		.live_rows = dense ? 1U << 22 : 1U << 20,
		.unwind_rows = UNWIND_ROWS_MAX,
		.other_bytes = OTHERS_BYTES + (u64)PER_CPU_BYTES * cpus,
	};

	room_bytes -= room_bytes < LOAD_BYTES ? room_bytes : LOAD_BYTES;
	while (footprint_maps(&footprint) > room_bytes / 2 && halve(&footprint))
		;
	/* Half of the other half: a profile that is made and written has copies. */
	footprint.sites = clamp(room_bytes / 4 / SITE_BYTES, SITES_LEAST, SITES_MOST);
	footprint.raw_bytes = clamp(room_bytes / 16, RAW_LEAST, RAW_MOST);
	return footprint;
}

struct footprint footprint_least(u32 cpus)
{
	return footprint_choose(false, cpus, 0);
}
